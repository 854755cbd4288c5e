"""What a row says beside its texts is its run's too, and a run makes one row."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import paths
from pipeline.firewall.index_rows import read_evidence
from pipeline.firewall.places import Places
from pipeline.firewall.repeated_runs import RepeatedRuns
from pipeline.firewall.report import Report, State
from pipeline.firewall.run_table import HAS_EVIDENCE, STATE_WIDTH
from pipeline.firewall.scan import scan
from pipeline.firewall.split_sides import SplitRule, rules, side_of
from pipeline.stages.sample import Sample, read_sample
from pipeline.stages.splits import split_of
from tests.pipeline.firewall.corpus import GOOD, Corpus, Run, line, turn
from tests.pipeline.firewall.falsified import PAIRS, RAG, SFT, Row, edited, look, member

RULE = {"split_by": "prompt", "validation_share": 0.1}


def divided(root: Path, rule: dict[str, Any] = RULE) -> None:
    """Let the manifest say by which rule the exports were divided."""
    manifest = json.loads((root / paths.EXPORT_MANIFEST).read_text())
    manifest["splits"] = dict.fromkeys(("sft", "rag", "preference"), rule)
    (root / paths.EXPORT_MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    ("place", "name"),
    [
        (SFT, "stream"),
        (SFT, "task_id"),
        (SFT, "model_name"),
        (SFT, "flags"),
        (RAG, "stream"),
        (RAG, "task_id"),
        (RAG, "model_name"),
        (PAIRS, "stream"),
        (PAIRS, "task_id"),
        (PAIRS, "chosen_model_name"),
        (PAIRS, "rejected_model_name"),
    ],
)
def test_a_member_that_is_not_its_runs_is_a_breach(
    workspace: Path, place: PurePosixPath, number: int, name: str
) -> None:
    report = edited(workspace, place, number, member(name, "another"))
    (finding,) = report.findings.first
    assert (report.state, finding.wall, finding.line) == (State.BREACH, "fidelity", number + 1)
    assert name in finding.detail


@pytest.mark.parametrize("place", [SFT, RAG, PAIRS])
def test_a_row_on_the_other_side_of_the_split_is_a_breach(workspace: Path, place: PurePosixPath) -> None:
    divided(workspace)
    assert look(workspace).state is State.CLEAR

    def across(row: Row) -> None:
        row["split"] = {"train": "validation", "validation": "train"}[row["split"]]

    report = edited(workspace, place, 1, across)
    (finding,) = report.findings.first
    assert (report.state, finding.wall, finding.line) == (State.BREACH, "fidelity", 2)
    assert "split" in finding.detail


def test_rows_are_held_against_the_rule_that_divided_them_and_not_against_todays_settings(
    workspace: Path,
) -> None:
    (workspace / paths.SETTINGS).write_text("[export]\nvalidation_share = 1.0\n")
    divided(workspace)
    assert look(workspace).state is State.CLEAR
    divided(workspace, {**RULE, "validation_share": 1.0})
    assert look(workspace).findings.by_file == {str(SFT): 2, str(RAG): 2, str(PAIRS): 2}


@pytest.mark.parametrize(
    "said", [None, [], {"sft": None}, {"sft": {"split_by": "month", "validation_share": 0.1}}]
)
def test_where_nobody_says_the_rule_the_side_is_not_looked_at(workspace: Path, said: object) -> None:
    manifest = json.loads((workspace / paths.EXPORT_MANIFEST).read_text())
    (workspace / paths.EXPORT_MANIFEST).write_text(json.dumps({**manifest, "splits": said}))
    assert rules(workspace) == {}
    assert look(workspace).state is State.CLEAR


@pytest.mark.parametrize("place", [SFT, RAG, PAIRS])
@pytest.mark.parametrize("at", [0, 1])
def test_a_row_that_is_there_twice_is_a_breach(workspace: Path, place: PurePosixPath, at: int) -> None:
    rows = (workspace / place).read_bytes().splitlines(keepends=True)
    (workspace / place).write_bytes(b"".join([*rows, rows[at]]))
    report = look(workspace)
    (finding,) = report.findings.first
    assert (report.state, finding.wall, finding.line) == (State.BREACH, "lineage", 3)
    assert "earlier row" in finding.detail


@pytest.mark.parametrize("side", ["chosen", "rejected"])
def test_a_run_stands_in_one_pair(workspace: Path, side: str) -> None:
    """Both answers are theirs, and both may be: the run of one is that of another pair, on either side."""
    rows = [json.loads(row) for row in (workspace / PAIRS).read_bytes().splitlines()]
    index = look(workspace).index
    assert index["runs"] == 4
    again = {**rows[0], "id": "pref-again", f"{side}_model_name": "m"}
    (workspace / PAIRS).write_bytes(b"".join(map(line, [*rows, again])))
    assert look(workspace).findings.by_wall == {"lineage": 1}


def test_rows_in_any_order_are_clear(workspace: Path) -> None:
    for place in (SFT, RAG, PAIRS):
        rows = (workspace / place).read_bytes().splitlines(keepends=True)
        (workspace / place).write_bytes(b"".join(rows[::-1]))
    assert look(workspace).state is State.CLEAR


def _chat(root: Path, messages: list[Row], change: Callable[[list[Row]], None]) -> Report:
    """One conversation whose first answer the log gives no weight, and a row of it that was changed."""
    run = Run("chat", GOOD, None, instruction=None, messages=messages)
    corpus = Corpus(root)
    corpus.runs(run)
    row = run.row(instruction="Is it up?", response="It is up.")
    change(row["messages"])
    corpus.export(row)
    return scan(Places.of(root, None, (), ()))


CHAT = [
    turn("user", "Is it up?"),
    turn("assistant", "Wait.\nI look."),
    turn("user", "And?"),
    turn("assistant", "It is up."),
]


def test_the_control_of_what_turns_weigh(tmp_path: Path) -> None:
    assert _chat(tmp_path, CHAT, lambda turns: None).state is State.CLEAR


def test_a_weight_does_not_hide_behind_a_turn_that_says_nothing(tmp_path: Path) -> None:
    def hide(turns: list[Row]) -> None:
        turns.insert(0, {**turns[0], "role": "assistant", "content": ""})
        turns[2]["weight"] = 0.0

    report = _chat(tmp_path, CHAT, hide)
    assert [finding.detail for finding in report.findings.first] == [
        "its turn 2 has another weight than its run"
    ]


@pytest.mark.parametrize(("member_of_turn", "value"), [("weight", 0.0), ("name", "Bob")])
def test_nor_behind_a_turn_that_was_cut_in_two(tmp_path: Path, member_of_turn: str, value: object) -> None:
    def cut(turns: list[Row]) -> None:
        first = {**turns[1], "content": "Wait.", member_of_turn: value}
        turns[1:2] = [first, {**turns[1], "content": "I look."}]

    report = _chat(tmp_path, CHAT, cut)
    assert (report.state, report.findings.by_wall) == (State.BREACH, {"fidelity": 1})


@pytest.mark.parametrize("side", ["chosen", "rejected"])
@pytest.mark.parametrize(("name", "value"), [("weight", 0.5), ("name", "Bob"), ("tool_call_id", "c9")])
def test_what_a_turn_of_a_pair_says_beside_its_text_is_its_runs(
    workspace: Path, side: str, name: str, value: object
) -> None:
    for number in (0, 1):
        report = edited(workspace, PAIRS, number, lambda row: row[side][0].update({name: value}))
        assert report.findings.by_wall["fidelity"] == number + 1


TEXTS = st.text(st.sampled_from("aAb \n\t²ſßÅ\u00a0\u200b\u3000。"), max_size=6)
ROLES = st.sampled_from(["system", "user", "assistant", "tool"])
TURNS = st.lists(st.builds(turn, ROLES, TEXTS | st.none()), max_size=5)


@given(
    texts=st.tuples(TEXTS, TEXTS, TEXTS),
    messages=TURNS | st.none(),
    by=st.sampled_from(["prompt", "task"]),
    share=st.floats(0, 1),
    task=TEXTS,
)
def test_the_side_is_the_exporters(
    texts: tuple[str, str, str], messages: list[Row] | None, by: str, share: float, task: str
) -> None:
    """Two codes, one rule; whatever was said."""
    run = Run("r", GOOD, texts[0], task=task, instruction=texts[1], messages=messages)
    run.context = texts[2]
    sample = read_sample(run.evidence())
    if isinstance(sample, Sample):
        options = _Options(by, share)
        row = read_evidence(line(run.evidence()).removesuffix(b"\n"))
        assert side_of(row, SplitRule(by, share)) == split_of(run.evidence(), sample.question, options)


class _Options:
    def __init__(self, split_by: str, validation_share: float) -> None:
        self.split_by, self.validation_share = split_by, validation_share


@given(places=st.lists(st.integers(0, 20)))
def test_runs_that_were_seen_are_known_in_any_order(places: list[int]) -> None:
    runs = RepeatedRuns()
    told = [runs.has_seen(place << STATE_WIDTH | HAS_EVIDENCE) for place in places]
    assert told == [place in places[:at] for at, place in enumerate(places)]
    assert not runs.has_seen(0)
