"""SIGKILL at every journal boundary of a wizard, then re-opened: the straight run's end, and undo."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from pipeline.reading.incidents import incident_ids
from runbook.actions.quarantine import plan_quarantine
from runbook.actions.rerun_stage import plan_command
from runbook.actions.restore import plan_restore
from runbook.change.apply import StepFailedError
from runbook.change.plan import Draft
from runbook.change.planning import Planning, joined
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, Question, Symptom
from runbook.wizard import dialogue as wizard
from runbook.wizard.dialogue import Work
from runbook.wizard.session import WizardSession, open_session, reopen_session
from tests.runbook.carrying_out import taken_back, work_on
from tests.runbook.killed_child import Boundary, killed_where
from tests.runbook.workspaces import LEAK, SFT, leak_symptom, make_workspace, seen, tree

SCHEMA = "pipeline/schemas/sft.py"


def _repair(planning: Planning, _answers: Answers) -> Draft:
    """Every kind of step that moves a file: rename, write, command."""
    words = ["export-sft", "write", SFT, "clean", "write", "exports/rag/new.jsonl", "x"]
    return joined(
        "Quarantine, restore, export again",
        [
            plan_quarantine(planning, SFT),
            plan_restore(planning, [SCHEMA]),
            plan_command(planning, words, title="Export again"),
        ],
    )


def _symptom() -> Symptom:
    return leak_symptom(Offer("repair", "Repair", "it is loosened", _repair))


def _broken(root: Path) -> Workspace:
    workspace = make_workspace(root)
    (root / SFT).write_text(f"{LEAK}\n")
    (root / SCHEMA).write_text("loosened\n")
    return workspace


def _drive(session: WizardSession) -> None:
    """An operator who always knows what to answer."""
    with session.lease():
        while (move := session.move) is not None:
            if isinstance(move, Work):
                session.work()
            elif move.id == wizard.CONSENT:
                plan = session.standing.plan
                assert plan is not None
                session.consent(plan.code, "mira", "a test")
            elif move.id == wizard.OFFER:
                session.answer(move.id, "repair")
            else:
                pytest.fail(f"asked {move}")


def _killed_at(number: int, body: Callable[[Boundary], None]) -> str | None:
    """``body`` killed at its ``number``-th boundary; that one's name, None when it ended before."""
    passed = count(1)
    return killed_where(lambda _name: next(passed) == number, body)


def _straight(tmp_path: Path) -> tuple[dict[str, tuple[str, int]], dict[str, tuple[str, int]]]:
    workspace = _broken(tmp_path / "straight")
    before = tree(workspace.root)
    session = open_session(workspace, _symptom(), seen(workspace))
    _drive(session)
    assert session.standing.state == "resolved"
    return before, _without_epoch(tree(workspace.root))


def _without_epoch(found: dict[str, tuple[str, int]]) -> dict[str, tuple[str, int]]:
    return {name.split("QUARANTINED-")[0]: state for name, state in found.items()}


@pytest.mark.slow
def test_a_wizard_killed_at_any_boundary_is_reopened_and_ends_as_the_straight_one(tmp_path: Path) -> None:
    before, straight = _straight(tmp_path)
    names = []
    for number in range(1, 100):
        workspace = _broken(tmp_path / str(number))
        incident = open_session(workspace, _symptom(), seen(workspace)).incident

        def body(
            boundary: Callable[[str], None], workspace: Workspace = workspace, at: str = incident.id
        ) -> None:
            session = reopen_session(workspace, at, [_symptom()])
            _drive(WizardSession(workspace, session.incident, session.symptom, boundary=boundary))

        name = _killed_at(number, body)
        if name is None:
            break
        names.append(name)
        again = reopen_session(workspace, incident.id, [_symptom()])
        _drive(again)
        assert again.standing.state == "resolved", name
        assert _without_epoch(tree(workspace.root)) == straight, name
        assert again.incident.journal.problems() == [], name
        taken_back(again)
        assert tree(workspace.root) == before, name
    for step in range(3):
        assert {f"kept:{step}", f"intent:{step}", f"changed:{step}", f"outcome:{step}"} <= set(names)
    assert {"classified", "planned", "rehearsed", "consented", "begun", "applied", "verified"} <= set(names)


@pytest.mark.slow
def test_an_undo_killed_at_any_boundary_is_reopened_and_ends_byte_identical(tmp_path: Path) -> None:
    names = []
    for number in range(1, 100):
        workspace = _broken(tmp_path / str(number))
        before = tree(workspace.root)
        session = open_session(workspace, _symptom(), seen(workspace))
        _drive(session)
        plan = session.plan_taking_back()
        session.consent(plan.code, "mira", "taken back")

        def body(boundary: Callable[[str], None], session: WizardSession = session) -> None:
            held = WizardSession(session.workspace, session.incident, session.symptom, boundary=boundary)
            _go_on(held)

        name = _killed_at(number, body)
        if name is None:
            break
        names.append(name)
        _go_on(reopen_session(workspace, session.incident.id, [_symptom()]))
        assert tree(workspace.root) == before, name
    assert {"begun", "intent:0", "changed:0", "outcome:0", "applied"} <= set(names)


def _go_on(session: WizardSession) -> None:
    while isinstance(session.move, Work) and session.standing.plan is not None:
        session.work()


def test_an_open_intent_is_settled_by_the_file_and_a_foreign_change_is_a_conflict(tmp_path: Path) -> None:
    workspace = _broken(tmp_path / "w")
    session = open_session(workspace, _symptom(), seen(workspace))
    with session.lease():
        session.diagnose()
        session.choose("repair", {})
        work_on(session)
        plan = session.standing.plan
        assert plan is not None
        session.consent(plan.code, "mira", "a test")

    def body(boundary: Callable[[str], None]) -> None:
        _go_on(WizardSession(workspace, session.incident, session.symptom, boundary=boundary))

    # begun, then kept, intent, changed, outcome of the rename, then kept and intent of the write.
    assert _killed_at(7, body) == "intent:1"
    (workspace.root / SCHEMA).write_text("a third hand\n")
    assert session.move is Work.SETTLE
    with pytest.raises(StepFailedError, match="neither as before nor as planned"):
        session.work()
    assert (workspace.root / SCHEMA).read_text() == "a third hand\n"


def test_looking_at_a_killed_incident_changes_nothing_of_it(tmp_path: Path) -> None:
    workspace = _broken(tmp_path / "w")
    session = open_session(workspace, _symptom(), seen(workspace))
    journal = session.incident.journal.path.read_bytes()
    again = reopen_session(workspace, incident_ids(workspace.root)[0], [_symptom()])
    assert again.standing.state == "detected"
    assert isinstance(again.move, Work | Question)
    assert session.incident.journal.path.read_bytes() == journal
