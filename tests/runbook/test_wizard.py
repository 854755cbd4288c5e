"""The dialogue: what is asked when, and what each answer leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts.faults import OperatorError
from pipeline.platform.lock import hold_workspace
from runbook.actions.quarantine import plan_quarantine
from runbook.actions.rerun_stage import plan_command
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.change.refusals import ApprovalNeededError, PlanVoidError, RefusedError
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, Question, Symptom
from runbook.wizard import dialogue as wizard
from runbook.wizard.dialogue import fold
from runbook.wizard.session import WizardSession, open_session, reopen_session
from tests.runbook.carrying_out import work_on
from tests.runbook.workspaces import LEAK, SFT, leak_symptom, make_workspace, seen


def _contain(planning: Planning, _answers: Answers) -> Draft:
    return plan_quarantine(planning, SFT)


QUARANTINE = Offer("quarantine", "Quarantine now", "it spreads", _contain, immediate=True)
WORD = Question("word", "Which word?", default="clean")


def _export(planning: Planning, answers: Answers) -> Draft:
    return plan_command(planning, ["export-sft", "write", SFT, answers["word"]], title="Export again")


SYMPTOM = leak_symptom(QUARANTINE, Offer("export", "Export again", "the cause is gone", _export, (WORD,)))


@pytest.fixture
def session(tmp_path: Path) -> WizardSession:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SFT).write_text(f"{LEAK}\n")
    return open_session(workspace, SYMPTOM, seen(workspace))


def _asked(session: WizardSession) -> Question:
    move = work_on(session)
    assert isinstance(move, Question), move
    return move


def _state(session: WizardSession) -> str:
    return session.standing.state


def _consent(session: WizardSession) -> None:
    plan = session.standing.plan
    assert plan is not None
    session.consent(plan.code, "mira", "forbidden rows")


def test_containment_is_offered_before_anything_is_looked_at(session: WizardSession) -> None:
    asked = _asked(session)
    assert [value for value, _ in asked.choices] == ["quarantine", "diagnose", "escalate", "abandon"]
    assert session.standing.probes == {}


def test_quarantine_needs_no_rehearsal_ends_mitigated_and_leads_to_the_cause(session: WizardSession) -> None:
    _asked(session)
    session.answer("offer", "quarantine")
    assert _asked(session).id == wizard.CONSENT
    _consent(session)
    asked = _asked(session)
    assert _state(session) == "mitigated"
    assert asked.id == wizard.AFTERWARDS
    session.answer(wizard.AFTERWARDS, wizard.DIAGNOSE)
    asked = _asked(session)
    assert _state(session) == "classified"
    assert "export" in [value for value, _ in asked.choices]
    session.answer("offer", "export")
    assert _asked(session) == WORD
    session.answer("word", "clean")
    assert _asked(session).id == wizard.CONSENT
    rehearsal = session.standing.rehearsal
    assert rehearsal is not None
    assert rehearsal.ok
    _consent(session)
    assert work_on(session) is None
    assert _state(session) == "resolved"


def test_only_a_green_rerun_of_the_same_detector_resolves(session: WizardSession) -> None:
    session.answer("offer", wizard.DIAGNOSE)
    _asked(session)
    session.choose("export", {"word": LEAK})
    _asked(session)
    _consent(session)
    asked = _asked(session)
    assert session.standing.state == "verifying"
    assert asked.id == wizard.AFTERWARDS
    assert "not green" in asked.text


def test_consent_is_to_just_this_plan_by_somebody_with_a_reason(session: WizardSession) -> None:
    _asked(session)
    session.answer("offer", "quarantine")
    _asked(session)
    plan = session.standing.plan
    assert plan is not None
    with pytest.raises(ApprovalNeededError):
        session.apply()
    for typed, who, reason in (
        ("0000", "mira", "x"),
        ("", "mira", "x"),
        (plan.code, "", "x"),
        (plan.code, "m", " "),
    ):
        with pytest.raises(RefusedError):
            session.consent(typed, who, reason)
    with pytest.raises(RefusedError, match="name and a reason"):
        session.answer(wizard.CONSENT, plan.code)
    assert (session.workspace.root / SFT).exists()


def test_going_back_drops_the_plan_and_asks_again(session: WizardSession) -> None:
    _asked(session)
    session.answer("offer", "quarantine")
    _asked(session)
    session.answer(wizard.CONSENT, wizard.BACK)
    assert _asked(session).id == wizard.OFFER
    assert session.standing.plan is None


def test_a_refusal_while_planning_leads_back_to_the_choice_with_its_words(session: WizardSession) -> None:
    _asked(session)
    (session.workspace.root / SFT).unlink()
    session.answer("offer", "quarantine")
    with pytest.raises(RefusedError):
        session.work()
    asked = _asked(session)
    assert asked.id == wizard.OFFER
    assert "There is no" in asked.help


def test_an_answer_that_is_not_asked_or_not_among_the_choices_is_refused(session: WizardSession) -> None:
    _asked(session)
    for question, answer in (("offer", "nonsense"), ("word", "x"), (wizard.AFTERWARDS, "stop")):
        with pytest.raises(RefusedError) as refused:
            session.answer(question, answer)
        if question == "word":
            assert refused.value.fault.do_next == f"See it: distill incident show {session.incident.id}"


def test_a_change_between_preview_and_apply_voids_the_plan_of_a_wizard(session: WizardSession) -> None:
    _asked(session)
    session.answer("offer", "quarantine")
    _asked(session)
    (session.workspace.root / SFT).write_text("changed\n")
    _consent(session)
    with pytest.raises(PlanVoidError):
        session.work()
    assert (session.workspace.root / SFT).read_text() == "changed\n"


@pytest.mark.parametrize(("answer", "state"), [(wizard.ESCALATE, "escalated"), (wizard.ABANDON, "abandoned")])
def test_handing_over_and_leaving_it_are_honest_ends(session: WizardSession, answer: str, state: str) -> None:
    _asked(session)
    session.answer("offer", answer)
    assert session.move is None
    assert session.standing.state == state


def test_a_reopened_wizard_asks_what_it_would_have_asked(session: WizardSession) -> None:
    asked = _asked(session)
    again = reopen_session(Workspace(session.workspace.root), session.incident.id, [SYMPTOM])
    assert again.move == asked


def test_every_beginning_of_a_journal_folds_to_what_it_was_then(session: WizardSession) -> None:
    states = []
    _asked(session)
    session.answer("offer", "quarantine")
    _asked(session)
    _consent(session)
    _asked(session)
    entries = session.incident.journal.entries()
    for count in range(1, len(entries) + 1):
        states.append(fold(entries[:count]).state)
    assert states == [entry.state for entry in entries]


def test_a_classification_that_raises_is_an_honest_unknown(session: WizardSession, tmp_path: Path) -> None:
    def raising(*_arguments: object) -> None:
        raise KeyError("rows")

    broken = Symptom(**{**SYMPTOM.__dict__, "classify": raising})
    other = open_session(session.workspace, broken, seen(session.workspace))
    other.answer("offer", wizard.DIAGNOSE)
    _asked(other)
    diagnosis = other.standing.diagnosis
    assert diagnosis is not None
    assert not diagnosis.is_known
    assert "KeyError" in diagnosis.cause.sentence


def test_the_page_hands_over_and_shows_no_control_character(session: WizardSession) -> None:
    with session.lease():
        session.answer("offer", "quarantine")
        work_on(session)
        plan = session.standing.plan
        assert plan is not None
        session.consent(plan.code, "mira", "red \x1b[31m and | pipe")
        work_on(session)
    text = (session.incident.folder / "incident.md").read_text()
    assert "**Mitigated" in text
    assert f"distill undo {session.incident.id}" in text
    assert "\x1b" not in text
    assert "red \\x1b[31m and \\| pipe" in text


def test_a_run_that_holds_the_workspace_keeps_a_restore_out_but_not_a_quarantine(
    session: WizardSession,
) -> None:
    other = open_session(session.workspace, SYMPTOM, seen(session.workspace))
    with hold_workspace(session.workspace.root, command="run-all"):
        with (
            pytest.raises(OperatorError, match=r"workspace is held by run-all \(pid"),
            hold_workspace(session.workspace.root, command="another"),
        ):
            pytest.fail("two at once")
        other.answer("offer", "quarantine")
        work_on(other)
        _consent(other)
        work_on(other)
    assert other.standing.state == "mitigated"
