"""A wizard whose process is killed at every boundary of its journal, and re-opened each time."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Mapping, Sequence

from runbook import wizard
from runbook.session import Session, reopen_session
from runbook.symptoms import SYMPTOMS
from runbook.wizard import Work
from runbook.workspace import Workspace

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
        _drive(Session(workspace, there.incident, there.symptom, boundary=boundary), offer, answers, verified)

    while kill and (name := _killed_at_a_new_boundary(killed, body)) is not None:
        killed.append(name)
    body(lambda _name: None)
    return killed


def _opened(workspace: Workspace, incident_id: str) -> Session:
    return reopen_session(workspace, incident_id, SYMPTOMS)


def _verifications(session: Session) -> int:
    return sum(entry.kind == "verified" for entry in session.incident.journal.entries())


def _drive(session: Session, offer: str, answers: Mapping[str, str], verified: int) -> None:
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


def _killed_at_a_new_boundary(
    known: Sequence[str], body: Callable[[Callable[[str], None]], None]
) -> str | None:
    """Run ``body`` in a child that kills itself at the first boundary not ``known``.

    The boundary's name; None when the body came to its end before one.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:

        def boundary(name: str) -> None:
            if name not in known:
                os.write(writing, name.encode())
                os.kill(os.getpid(), signal.SIGKILL)

        code = 1
        try:
            body(boundary)
            code = 0
        except BaseException:  # noqa: BLE001 - what went wrong is told by the parent
            os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return said
    assert os.waitstatus_to_exitcode(status) == 0, said
    return None
