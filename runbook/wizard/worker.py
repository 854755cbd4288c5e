"""Start what applies and verifies (``runbook.worker``) in a process of its own, and wait for it.

It has its own session, so that a terminal that goes away takes nothing with it: no hang-up
reaches it, and its output goes to a file in the incident's folder.
"""

from __future__ import annotations

import os
import sys

from pipeline.contracts.discovery import firewall_environment
from pipeline.contracts.faults import ExitCode, engine_not_started
from pipeline.platform import disk
from pipeline.platform.detached import Detached, start_detached
from pipeline.platform.disk_faults import storage_fault
from runbook.change.incident import Incident
from runbook.change.refusals import PlanVoidError
from runbook.wizard.dialogue import CHANGES
from runbook.wizard.session import WizardSession

LOG = "apply.log"
_LOOK_SECONDS = 60.0
_NOT_BEGUN = "What was agreed to is in the journal; nothing was changed yet."


def start(incident: Incident, plan_hash: str) -> Detached:
    """Start the worker; whoever waits for it may go away. Raises StorageError, EngineUnavailableError."""
    argv = [sys.executable, "-P", "-m", "runbook.worker", str(incident.root), incident.id, plan_hash]
    place = incident.folder / LOG
    try:
        log = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise storage_fault(error, place, _NOT_BEGUN) from error
    try:
        return start_detached(argv, output=log, env=firewall_environment(), with_words=True)
    except OSError as error:
        raise engine_not_started("The worker", error) from error
    finally:
        os.close(log)


def wait(started: Detached) -> int:
    """Its exit code, however long it takes: a person watches, and may go away while it goes on."""
    while (code := started.wait(_LOOK_SECONDS)) is None:
        continue
    return code


def carry_out(session: WizardSession) -> int:
    """Settle, apply and verify until something is asked; the exit code says how it ended."""
    while session.move in CHANGES:
        session.work()
    standing = session.standing
    if standing.state == "verifying" or standing.trouble:
        return ExitCode.VERIFICATION_FAILED
    return ExitCode.OK


def why_it_ended(session: WizardSession, started: Detached) -> str:
    """The fault that it told, else what its verification saw, else the end of its log."""
    return started.said() or session.standing.trouble or last_words(session.incident)


def last_words(incident: Incident) -> str:
    """The fault that a worker ended with, from its log."""
    try:
        lines = disk.read_plain(incident.folder / LOG).decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-3:])


def another_plan(incident_id: str) -> PlanVoidError:
    """Somebody planned anew in the meantime; the older consent does not cover it."""
    return PlanVoidError.of(
        "another_plan",
        "The incident has another plan by now.",
        "Nothing was changed.",
        f"Look at it: distill incident show {incident_id}",
    )
