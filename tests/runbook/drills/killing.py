"""A wizard whose process is killed at every boundary of its journal, and re-opened each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runbook.probes.workspace import Workspace
from runbook.symptoms import SYMPTOMS
from runbook.wizard import dialogue as wizard
from runbook.wizard.dialogue import Work
from runbook.wizard.session import WizardSession, reopen_session
from tests.runbook.killed_child import killed_where

REASON = "a drill"


def walk_offer(
    workspace: Workspace,
    incident_id: str,
    offer: str,
    answers: Mapping[str, str],
    *,
    kill: bool,
) -> list[str]:
    """Lead the incident through one way out until it is verified; where it was killed on the way."""
    verified = _verifications(_opened(workspace, incident_id)) + 1
    killed: list[str] = []

    def body(boundary: Callable[[str], None]) -> None:
        there = _opened(workspace, incident_id)
        _drive(
            WizardSession(workspace, there.incident, there.symptom, boundary=boundary),
            offer,
            answers,
            verified,
        )

    while kill and (name := killed_where(lambda name: name not in killed, body)) is not None:
        killed.append(name)
    body(lambda _name: None)
    return killed


def _opened(workspace: Workspace, incident_id: str) -> WizardSession:
    return reopen_session(workspace, incident_id, SYMPTOMS)


def _verifications(session: WizardSession) -> int:
    return sum(entry.kind == "verified" for entry in session.incident.journal.entries())


def _drive(session: WizardSession, offer: str, answers: Mapping[str, str], verified: int) -> None:
    """An operator who knows what to answer, until the journal holds ``verified`` verifications."""
    with session.lease():
        while _verifications(session) < verified:
            move, standing = session.move, session.standing
            if isinstance(move, Work):
                session.work()
            elif move is None:
                raise AssertionError(f"it is over: {standing.state}")
            elif move.id == wizard.CONSENT:
                assert standing.plan is not None
                assert standing.rehearsal is None or standing.rehearsal.ok, standing.rehearsal
                session.consent(standing.plan.code, "mira", REASON)
            elif move.id == wizard.OFFER:
                choices = [value for value, _ in move.choices]
                look_first = standing.diagnosis is None and offer not in choices
                session.answer(move.id, wizard.DIAGNOSE if look_first else offer)
            elif move.id == wizard.AFTERWARDS:
                session.answer(move.id, wizard.DIAGNOSE)
            else:
                answer = answers.get(move.id, move.default)
                assert answer is not None, f"the drill has no answer to {move.id}: {move.text}"
                session.answer(move.id, answer)
