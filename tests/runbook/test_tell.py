"""A cause, a plan, an entry are told once; a screen, plain lines and Markdown say the same words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from console.presentation.blocks import block_lines
from console.presentation.incident_replay import entry_lines, short_words
from console.presentation.spans import Line, line_width, plain_text
from console.reading.incident_record import Entry
from pipeline.contracts.status import Verdict
from runbook.change.plan import FileState, Kept, Plan, Rehearsal, RenameFile, RunCommand, WriteFile
from runbook.probes.evidence import Cause, Confidence, Detection, Diagnosis, Evidence, Stance
from runbook.tell.blocks import GAP, Block, Fact, Heading, Paragraph, Printed, Table
from runbook.tell.cause import detection_blocks, diagnosis_blocks
from runbook.tell.entry import entry_blocks
from runbook.tell.layout import markdown_lines, plain_lines, table
from runbook.tell.plan import plan_blocks

NOW = 1_777_300_000.0
HOSTILE = "a\x1b[31m|b\u202e ```"
EVIDENCE = (
    Evidence(stance=Stance.FOR, says="3 rows past the receipt", source="a.jsonl:7", read_at=NOW - 4),
    Evidence(stance=Stance.AGAINST, says="the tag has it", source="git", read_at=NOW, lines=(HOSTILE,)),
)
DIAGNOSIS = Diagnosis(
    cause=Cause(
        id="a",
        sentence="Somebody wrote.",
        confidence=Confidence.LIKELY,
        places=("p1", "p2"),
        evidence=EVIDENCE,
    ),
    considered=(Cause(id="b", sentence="A loose wall.", confidence=Confidence.UNKNOWN),),
    see="S2.drift",
)
DETECTION = Detection(
    symptom_id="S",
    verdict=Verdict.DETECTED,
    observed="3 rows",
    read_at=NOW,
    as_of=NOW - 720,
    source="reports/x",
)
BEFORE = FileState(sha256="3" * 64, bytes=12, mode=0o644)
PLAN = Plan(
    incident_id="i",
    symptom_id="S",
    action="a",
    title="Mend it",
    made_at="then",
    made_by="mara",
    steps=(
        RenameFile(path="exports/a", to="exports/b", before=BEFORE, says="Move it aside."),
        WriteFile(path="p", before=BEFORE, after=BEFORE, content=Kept(sha256="3" * 64), says="Put it back."),
        RunCommand(arguments=("score",), before={"x": BEFORE}, says="Score.", by_hand="distill score"),
    ),
    undo="Put all back.",
    verify="S",
    notes=("a note",),
)


def _screen(blocks: Sequence[Block]) -> str:
    return "\n".join(plain_text(spans) for spans in block_lines(blocks, 200, NOW))


FACES: dict[str, Callable[[Sequence[Block]], str]] = {
    "screen": _screen,
    "plain": lambda blocks: "\n".join(plain_lines(blocks)),
    "markdown": lambda blocks: "\n".join(markdown_lines(blocks)),
}


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> Callable[[Sequence[Block]], str]:
    return FACES[request.param]


def test_a_cause_is_told_with_all_that_speaks_for_and_against_it(
    face: Callable[[Sequence[Block]], str],
) -> None:
    told = face(diagnosis_blocks(DIAGNOSIS.model_dump(mode="json")))
    for words in ("Somebody wrote.", "likely", "p1", "p2", "for", "3 rows past the receipt", "a.jsonl:7"):
        assert words in told
    assert told.index("against") < told.index("the tag has it") < told.index("A loose wall.")
    assert told.rstrip().endswith("with the wizard of S2.drift")


def test_a_rehearsal_that_left_a_step_out_says_which(face: Callable[[Sequence[Block]], str]) -> None:
    rehearsal = Rehearsal(ok=True, took_seconds=4.25, detail="byte-identical", left_out="distill score: why")
    told = face(plan_blocks(PLAN.model_dump(mode="json"), rehearsal.model_dump(mode="json")))
    assert "in part, byte-identical" in told
    assert "yes," not in told
    assert "distill score: why" in told


def test_a_plan_is_told_with_what_changes_what_stays_and_the_way_back(
    face: Callable[[Sequence[Block]], str],
) -> None:
    rehearsal = Rehearsal(ok=False, took_seconds=4.25, detail="p differs")
    told = face(plan_blocks(PLAN.model_dump(mode="json"), rehearsal.model_dump(mode="json")))
    for words in (
        "exports/a",
        "exports/b",
        "33333333 12 B → 33333333 12 B",
        "1 file may change, each is kept before",
        "distill score",
        "every other file, git, past reports",
        "Put all back.",
        "by the detector of S, run again",
        "a note",
    ):
        assert words in told
    assert "FAILED p differs (4.2s)" in told


def test_what_a_detector_saw_has_its_source_and_its_age_then(face: Callable[[Sequence[Block]], str]) -> None:
    told = face(detection_blocks(DETECTION.model_dump(mode="json"), NOW))
    assert "reports/x, 12m old then" in told


def test_no_face_obeys_what_data_says(face: Callable[[Sequence[Block]], str]) -> None:
    blocks = [
        Heading(HOSTILE),
        Paragraph(HOSTILE),
        Fact(HOSTILE, HOSTILE, lead=HOSTILE),
        GAP,
        Printed((HOSTILE,), 3),
        Table((HOSTILE, "b"), ((HOSTILE, "c"),)),
        *diagnosis_blocks(DIAGNOSIS.model_dump(mode="json")),
    ]
    told = face(blocks)
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert told.count("\\x1b") >= 6
    assert "3 lines more" in told


def test_a_quoted_fence_ends_no_fence_and_a_bar_no_cell() -> None:
    told = markdown_lines([Printed((HOSTILE,), 0)])
    assert [text.strip() for text in told if "```" in text] == ["```text", "```"]
    assert table(("a", "b"), [("x|y", "z")]) == ["| a | b |", "|---|---|", "| x\\|y | z |"]


def test_steps_share_a_fence() -> None:
    told = markdown_lines(plan_blocks(PLAN.model_dump(mode="json")))
    assert [text for text in told if text.startswith("```")] == ["```text", "```"]
    assert told.index("```") < told.index(
        "- stays: every other file, git, past reports; originals are kept with the incident"
    )


def _entry(kind: str, detail: dict[str, Any], **more: Any) -> Entry:
    return Entry(1, kind, "applying", "mara", "db1", NOW, detail=detail, plan_hash="ab" * 32, **more)


SEEN, WHY, PLANNED = (each.model_dump(mode="json") for each in (DETECTION, DIAGNOSIS, PLAN))
FAILED = {"ok": False, "detail": "differs"}
DONE = {"step": 0, "done": True, "settled": True}
# An entry, some of what it says, and all of it in a few words.
ENTRIES = [
    (_entry("opened", {"title": "A leak", "detection": SEEN}), "3 rows", ""),
    (_entry("probe", {"output": {"title": "look", "text": "one\ntwo", "took_seconds": 1.0}}), "two", "look"),
    (_entry("probe", {"output": {"title": "look", "text": " "}}), "it printed nothing", "look"),
    (_entry("classified", {"diagnosis": WHY}, verdict="a"), "Somebody wrote.", "a"),
    (_entry("planned", {"plan": PLANNED, "code": "1234"}), "code 1234", "Mend it"),
    (_entry("consent", {}, reason="why not"), "agreed to", "why not"),
    (
        _entry("intent", {"step": 0, "type": "write_file"}, outputs={"p": "3" * 64}),
        "step 1 begins: write file",
        "p",
    ),
    (_entry("outcome", DONE, verdict="done"), "settled by looking", "done"),
    (_entry("verified", {}, verdict="clear"), "clear", "clear"),
    (_entry("state", {"rehearsal": FAILED}, verdict="x"), "FAILED in a copy", "x"),
    (_entry("state", {"detection": SEEN}, verdict="detected"), "3 rows", "detected"),
    (_entry("owner", {"was": "jun"}), "jun", ""),
    (_entry("note", {"offer": "go_on"}), "go on", "go_on"),
    (_entry("note", {"answers": {"word": "clean"}}), "clean", "clean"),
    (_entry("of_tomorrow", {"new": {"a": 1}}), '{"a": 1}', ""),
    (_entry("state", {"detection": 7, "rehearsal": []}, verdict=""), "applying", "applying"),
]


@pytest.mark.parametrize(("entry", "whole", "short"), ENTRIES, ids=lambda value: getattr(value, "kind", ""))
def test_every_kind_of_entry_is_told_whole_and_in_a_few_words(entry: Entry, whole: str, short: str) -> None:
    lines: list[Line] = entry_lines(entry, 60)
    assert all(line_width(spans) <= 60 for spans in lines)
    for told in (" ".join(plain_text(spans) for spans in lines), "\n".join(plain_lines(entry_blocks(entry)))):
        assert whole in " ".join(told.split())
    assert short_words(entry) == (f"{entry.kind}: {short}" if short else entry.kind)


def test_a_runbook_that_cannot_be_loaded_costs_the_telling_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "runbook.tell.entry", None)
    entry = _entry("note", {"offer": "go_on"})
    told = " ".join(plain_text(spans).strip() for spans in entry_lines(entry, 200))
    assert "cannot be loaded" in told
    assert "go_on" in told
    assert short_words(entry) == "note"


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ({"step": 0, "done": True}, [("outcome", "step 1: done")]),
        (
            {"step": 1, "done": False, "settled": True},
            [("outcome", "step 2: NOT done, settled by looking at the files")],
        ),
        ({}, [("outcome", "step ?: NOT done")]),
        ({"step": 0, "done": True, "exit_code": 0}, [("outcome", "step 1: done"), ("exit", "0")]),
        ({"step": 0, "exit_code": 3}, [("outcome", "step 1: NOT done"), ("exit", "3")]),
        ({"step": 0, "exit_code": -9}, [("outcome", "step 1: NOT done"), ("exit", "killed by SIGKILL")]),
        (
            {"step": 0, "said": "no row", "by_hand": "distill score"},
            [("outcome", "step 1: NOT done"), ("said", "no row"), ("by hand", "distill score")],
        ),
    ],
)
def test_what_became_of_a_step_is_told_with_how_its_command_ended(
    detail: dict[str, Any], told: list[tuple[str, str]]
) -> None:
    entry: Any = SimpleNamespace(
        kind="outcome", detail=detail, argv=(), inputs={}, outputs={}, actor="mara", plan_hash="", at=NOW
    )
    facts = [(each.name, each.text) for each in entry_blocks(entry) if isinstance(each, Fact)]
    assert facts == told


@pytest.mark.parametrize(
    ("output", "took"),
    [
        ({}, "1.0s"),
        ({"exit_code": 0}, "1.0s, exit 0"),
        ({"exit_code": 5, "timed_out": True}, "1.0s, exit 5, cut off at its limit"),
        ({"exit_code": -15}, "1.0s, killed by SIGTERM"),
        ({"exit_code": "no"}, "1.0s"),
    ],
)
def test_a_probe_is_told_with_how_its_command_ended(output: dict[str, Any], took: str) -> None:
    detail = {"output": {"title": "Suspects", "took_seconds": 1.0, "text": "", **output}}
    entry: Any = SimpleNamespace(kind="probe", detail=detail, argv=(), at=NOW)
    assert [each.text for each in entry_blocks(entry) if isinstance(each, Fact)] == [
        "Suspects",
        took,
        "it printed nothing",
    ]
