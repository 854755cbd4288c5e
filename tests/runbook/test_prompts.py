"""The wizard at plain prompts: numbers, codes, and a closed input that answers nothing."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from pipeline.contracts.faults import Fault, StorageError
from runbook.actions.quarantine import plan_quarantine
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.symptom import Answers, Offer
from runbook.wizard import worker
from runbook.wizard.dialogue import Standing
from runbook.wizard.driver import Driver
from runbook.wizard.prompts import converse
from runbook.wizard.session import WizardSession, open_session
from tests.heard import Heard
from tests.runbook.workspaces import LEAK, SFT, leak_symptom, make_workspace, seen


class InThisProcess:
    """Stands for the worker's process: the symptoms of tests are not known to a real one."""

    def __init__(self, session: WizardSession) -> None:
        self._session = session

    def wait(self, _limit_seconds: float) -> int:
        with self._session.lease():
            return worker.carry_out(self._session)


def _contain(planning: Planning, _answers: Answers) -> Draft:
    return plan_quarantine(planning, SFT)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WizardSession:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SFT).write_text(f"{LEAK}\n")
    symptom = leak_symptom(Offer("quarantine", "Quarantine now", "it spreads", _contain, immediate=True))
    opened = open_session(workspace, symptom, seen(workspace))
    monkeypatch.setattr(worker, "start", lambda _incident, _plan: InThisProcess(opened))
    return opened


def _typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def _code(session: WizardSession) -> str:
    plan = session.standing.plan
    assert plan is not None
    return plan.code


def test_a_closed_input_changes_nothing_and_leaves_the_question_open(
    session: WizardSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    _typed(monkeypatch)
    assert converse(Driver(session.workspace, session.symptom, session), heard) == 11
    assert (session.workspace.root / SFT).exists()
    assert f"distill runbook resume {session.incident.id}" in heard.lines[-1]
    assert session.incident.lease_holder() is None


def test_a_wrong_code_and_empty_lines_agree_to_nothing(
    session: WizardSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    _typed(monkeypatch, "", "1", "", "yes", "because")
    assert converse(Driver(session.workspace, session.symptom, session), Heard()) == 11
    assert (session.workspace.root / SFT).exists()


def test_code_and_reason_carry_the_plan_out_and_the_answer_after_it_ends_the_talk(
    session: WizardSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    _typed(monkeypatch, "1")
    converse(Driver(session.workspace, session.symptom, session), Heard())
    _typed(monkeypatch, _code(session), "forbidden rows", "2")
    assert converse(Driver(session.workspace, session.symptom, session), Heard()) == 0
    assert not (session.workspace.root / SFT).exists()
    assert session.standing.state == "mitigated"


FULL = StorageError(Fault("disk_full", "The disk is full.", "The journal stands.", "Free some space."))


def _consented(session: WizardSession, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines with which a plan is agreed to; it is planned already."""
    _typed(monkeypatch, "1")
    converse(Driver(session.workspace, session.symptom, session), Heard())
    return [_code(session), "forbidden rows"]


def test_a_fault_after_consent_ends_the_talk_and_nothing_is_carried_out(
    session: WizardSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(Driver):
        def consent(self, plan_hash: str, typed: str, who: str, reason: str) -> None:
            super().consent(plan_hash, typed, who, reason)
            raise FULL

    _typed(monkeypatch, *_consented(session, monkeypatch))
    with pytest.raises(StorageError):
        converse(Full(session.workspace, session.symptom, session), Heard())
    assert (session.workspace.root / SFT).exists()
    assert session.move == "apply", "who resumes it carries it out"


def test_a_plan_that_cannot_be_made_again_ends_the_talk(
    session: WizardSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Void(Driver):
        def why_void(self, standing: Standing) -> str:
            return "A file changed." if standing.consented else ""

        def plan_again(self) -> None:
            raise FULL

    heard = Heard()
    _typed(monkeypatch, *_consented(session, monkeypatch))
    with pytest.raises(StorageError):
        converse(Void(session.workspace, session.symptom, session), heard)
    assert heard.lines.count("A file changed. It is planned again.") == 1
    assert (session.workspace.root / SFT).exists()


def test_handing_over_packs_what_is_known(session: WizardSession, monkeypatch: pytest.MonkeyPatch) -> None:
    _typed(monkeypatch, "3")
    assert converse(Driver(session.workspace, session.symptom, session), Heard()) == 1
    assert session.standing.state == "escalated"
    with tarfile.open(session.incident.folder / "handover.tar.gz") as pack:
        assert f"{session.incident.id}/journal.jsonl" in pack.getnames()
