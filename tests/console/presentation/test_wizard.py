"""The wizard's lines: nothing hidden, nothing obeyed, nothing wider than the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from console.control.wizard_control import WizardControl
from console.control.wizard_view import Deed, WizardView, choices
from console.presentation.blocks import block_lines
from console.presentation.edge_lines import status_line
from console.presentation.lines import difference_lines
from console.presentation.spans import Line, line_width, plain_text
from console.presentation.wizard import body_lines, head_lines
from console.presentation.wizard_plan import tally
from console.presentation.wizard_question import command_line, leaving_words, question_lines
from console.state.runbook_state import RunbookReading
from pipeline.reading.incidents import IncidentGlance
from runbook.actions.rerun_stage import plan_command
from runbook.change.apply import StepFailedError
from runbook.change.plan import ABSENT, AppendLine, Draft, FileState, Manual, RemoveFile, TruncateFile
from runbook.change.planning import Planning
from runbook.probes.evidence import Evidence, Record, Stance
from runbook.symptom import Answers, Offer
from runbook.tell.plan import change_words, step_blocks
from runbook.wizard.dialogue import Work
from runbook.wizard.session import open_session
from tests.console import states, wizard_views
from tests.console.states import NOW, SFT
from tests.console.wizard_views import state
from tests.runbook.workspaces import LEAK, leak_symptom, make_workspace
from tests.runbook.workspaces import SFT as SFT_FILE

VIEWS = [
    wizard_views.contained_first,
    wizard_views.to_contain,
    wizard_views.to_repair,
    wizard_views.applying,
    wizard_views.cut_off,
    wizard_views.resolved,
]


def everything(view: WizardView, width: int) -> list[Line]:
    asked = question_lines(view, choices(view), 0, "", width, 100, armed=True)
    return [*head_lines(view, NOW, width), *body_lines(view, None, NOW, width, unfolded=True), *asked]


def texts(lines: list[Line]) -> str:
    return "\n".join(plain_text(spans) for spans in lines)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_control_character_of_evidence_reaches_the_screen(
    view: Callable[[], WizardView], width: int
) -> None:
    text = texts(everything(view(), width))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_first_harmless_answer_is_always_first_and_the_change_last() -> None:
    for view in VIEWS:
        found = choices(view())
        assert not found or found[0].deed is Deed.LEAVE
    assert choices(wizard_views.to_repair())[-1].deed is Deed.CONSENT
    assert choices(wizard_views.applying()) == ()


def test_evidence_against_and_unknown_is_counted_even_where_it_is_none() -> None:
    view = wizard_views.to_repair()
    assert view.standing.diagnosis is not None
    cause = view.standing.diagnosis.cause
    assert tally(cause) == "1 for, 1 against, 1 unknown"
    assert tally(cause.model_copy(update={"evidence": cause.evidence[:1]})) == "1 for, 0 against"


def test_every_source_stands_with_its_evidence_and_an_age() -> None:
    text = texts(everything(wizard_views.to_repair(), 120))
    assert text.count("4s ago") >= 5
    assert "read 4s ago" in text


def test_on_a_wide_screen_the_evidence_stands_beside_the_plan() -> None:
    view = wizard_views.to_repair()
    wide = texts(body_lines(view, None, NOW, 120, unfolded=False)).splitlines()
    narrow = texts(body_lines(view, None, NOW, 80, unfolded=False)).splitlines()
    assert "PLAN" in wide[0]
    assert "WHY" in wide[0]
    assert "WHY" not in narrow[0]
    assert all(line_width(spans) <= 120 for spans in body_lines(view, None, NOW, 120, unfolded=True))


def test_a_difference_is_told_by_sign_and_by_colour() -> None:
    lines = [spans for spans in difference_lines(wizard_views.DIFFERENCE, 80) if spans]
    roles = {plain_text(spans).strip()[:1]: spans[0].role for spans in lines}
    assert (roles["-"], roles["+"], roles["@"]) == ("fail", "ok", "accent")


def test_a_changed_line_is_shown_to_its_end_and_one_around_it_is_cut() -> None:
    long = "x" * 60 + " end"
    lines = difference_lines((f"-{long}", f" {long}"), 40)
    text = texts(lines)
    assert text.count("end") == 1
    assert "…" in text
    assert all(line_width(spans) <= 40 for spans in lines)


def test_what_waits_for_a_run_says_for_which() -> None:
    view = wizard_views.cut_off()
    lines = question_lines(view, choices(view), 0, "", 80, 20, armed=True, note="export-sft is at work")
    assert "export-sft is at work" in texts(lines)


def test_a_plan_whose_step_failed_is_gone_on_with_or_taken_back_from_where_it_stands(tmp_path: Path) -> None:
    def half(planning: Planning, _answers: Answers) -> Draft:
        return plan_command(planning, ["export-sft", "write", SFT_FILE, "half", "fail"], title="Export half")

    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SFT_FILE).write_text(f"{LEAK}\n")
    symptom = leak_symptom(Offer("export", "Export again", "it is stale", half))
    session = open_session(workspace, symptom, symptom.detect(workspace))
    with session.lease():
        session.diagnose()
        plan = session.choose("export", {})
        session.rehearse_plan()
        session.consent(plan.code, "mara", "stale")
        with pytest.raises(StepFailedError, match="exit 1: asked to fail"):
            session.apply()
    view = WizardControl(workspace.root, [symptom], incident_id=session.incident.id).look()
    assert view.is_cut_off
    assert view.undoable == "Export half"
    assert [choice.deed for choice in choices(view)] == [Deed.LEAVE, Deed.GO_ON, Deed.TAKE_BACK]


def test_a_verification_says_what_is_run_again_and_for_how_long() -> None:
    view = replace(wizard_views.applying(), move=Work.VERIFY)
    text = texts(body_lines(view, None, NOW + 41, 80, unfolded=False))
    (told,) = [line for line in text.splitlines() if "re-running" in line]
    assert told.split() == ["»", "re-running", "the", "detector", "of", "S1.P4.sft-leak", "42s"]


def test_an_incident_that_waits_is_on_the_status_line_until_a_line_of_the_band_shows_it() -> None:
    incident = IncidentGlance("20260423-1700-x", "planned", "S1.P4.sft-leak", "mara", None, None, "")
    waits, over = (
        RunbookReading(incidents=(each,)) for each in (incident, replace(incident, state="resolved"))
    )
    calm, breach = states.healthy(), states.breach()
    assert "1 incident open: I" in texts([status_line(replace(calm, runbook=waits), NOW, 80)])
    assert "incident" not in texts([status_line(replace(calm, runbook=over), NOW, 80)])
    assert any(each.id == incident.symptom for each in breach.symptoms)
    assert "incident" not in texts([status_line(replace(breach, runbook=waits), NOW, 80)])


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (RemoveFile(path="a", before=state("3", 12)), "remove  a 33333333 12 B → absent"),
        (
            AppendLine(path="a", line="x", before=state("3", 12), after=state("4", 14)),
            "append  a 33333333 12 B → 44444444 14 B",
        ),
        (
            TruncateFile(path="a", before=state("4", 14), after=state("3", 12)),
            "cut     a 44444444 14 B → 33333333 12 B",
        ),
        (Manual(says="Call them.", by_hand="echo call"), "by hand Call them.\n echo call"),
    ],
    ids=lambda value: getattr(value, "type", ""),
)
def test_each_kind_of_step_says_what_it_does_to_the_file(step: Record, words: str) -> None:
    told = step_blocks({"steps": [step.model_dump(mode="json")]})
    assert [part.split() for part in texts(block_lines(told, 80)).splitlines()] == [
        part.split() for part in f"1 {words}".splitlines()
    ]


def test_a_change_of_mode_alone_is_seen() -> None:
    before = FileState(sha256="3" * 64, bytes=1, mode=0o644).model_dump()
    assert "mode 644 → 755" in change_words(before, {**before, "mode": 0o755})
    assert change_words(ABSENT.model_dump(), before) == "absent → 33333333 1 B"


def test_a_small_screen_keeps_the_marked_answer() -> None:
    view = wizard_views.contained_first()
    answers = choices(view)
    for marked in range(len(answers)):
        lines = question_lines(view, answers, marked, "", 40, 4, armed=True)
        assert len(lines) <= 4
        assert f"► {answers[marked].words[:8]}" in texts(lines)


def test_the_command_without_a_screen_names_the_plan_and_quotes_the_place() -> None:
    view = wizard_views.to_repair()
    assert view.preview is not None
    assert command_line(view, "/srv/agent logs", "mara") == (
        f"distill runbook apply -C '/srv/agent logs' --plan {view.preview.plan.hash}"
        " --approve-as mara --reason WHY"
    )
    assert command_line(wizard_views.contained_first(), "/w", "mara") == (
        f"distill runbook open -C /w {wizard_views.LEAK}"
    )
    assert command_line(wizard_views.cut_off(), "/w", "m").endswith(f"resume -C /w {wizard_views.INCIDENT}")
    assert command_line(wizard_views.resolved(), "/w", "m").startswith("distill undo")


def test_leaving_says_what_it_means() -> None:
    assert leaving_words(wizard_views.contained_first()) == "nothing was changed, no incident was opened"
    assert "runs detached" in leaving_words(wizard_views.applying())
    assert "stays open where it is: awaiting approval" in leaving_words(wizard_views.to_repair())
    assert leaving_words(wizard_views.resolved()).startswith("resolved: ")


def test_findings_of_the_file_that_was_named_say_the_line_alone() -> None:
    text = texts(body_lines(wizard_views.contained_first(), None, NOW, 80, unfolded=False))
    assert "line 2762" in text
    assert "+1 more: + unfolds" in text
    assert f"{SFT}:2762" not in text


def test_a_finding_elsewhere_keeps_its_file() -> None:
    view = wizard_views.contained_first()
    seen = view.standing.detection
    assert seen is not None
    other = Evidence(stance=Stance.FOR, says="stray", source="exports/formatted/x.jsonl:1", read_at=NOW)
    moved = seen.model_copy(update={"evidence": (other,)})
    shown = body_lines(
        WizardView(**{**view.__dict__, "standing": type(view.standing)(detection=moved)}),
        None,
        NOW,
        80,
        unfolded=False,
    )
    assert "exports/formatted/x.jsonl:1" in texts(shown)
