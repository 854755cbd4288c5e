"""Apply and verify in a process of its own: ``python -P -m runbook.wizard.worker ROOT INCIDENT PLAN``.

It has its own session, so that a terminal that goes away takes nothing with it: no hang-up
reaches it, and its output goes to a file in the incident's folder. Consent is in the journal
before it starts; without it nothing is done.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.contracts.discovery import firewall_environment
from pipeline.contracts.faults import ExitCode, Fault
from pipeline.platform.process import Detached, start_detached
from pipeline.platform.voice import speak
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.wizard.dialogue import CHANGES
from runbook.wizard.incident import Incident
from runbook.wizard.refusals import PlanVoidError
from runbook.wizard.session import WizardSession, reopen_session

LOG = "apply.log"
_LOOK_SECONDS = 60.0


def start(incident: Incident, plan_hash: str) -> Detached:
    """Start the worker; whoever waits for it may go away. Raises OSError."""
    argv = [sys.executable, "-P", "-m", "runbook.wizard.worker", str(incident.root), incident.id, plan_hash]
    log = os.open(incident.folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return start_detached(argv, output=log, env=firewall_environment())
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


def main(arguments: Sequence[str]) -> int:
    """Exit 0 applied and verified, 11 void or not consented, 12 not verified, 75 somebody else acts."""
    kept_safe = "What was done is in the journal; a change without an outcome is settled first."
    return speak(lambda: _run(*arguments), who="The worker", kept_safe=kept_safe)


def _run(root: str, incident_id: str, plan_hash: str) -> int:
    session = reopen_session(Workspace(Path(root)), incident_id, symptoms_for(Path(root), incident_id))
    with session.lease():
        plan = session.standing.plan
        if plan is None or plan.hash != plan_hash:
            raise another_plan(incident_id)
        return int(carry_out(session))


def last_words(incident: Incident) -> str:
    """The fault that the worker ended with, from its log."""
    try:
        lines = (incident.folder / LOG).read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-3:])


def another_plan(incident_id: str) -> PlanVoidError:
    """Somebody planned anew in the meantime; the older consent does not cover it."""
    return PlanVoidError(
        Fault(
            "another_plan",
            "The incident has another plan by now.",
            "Nothing was changed.",
            f"Look at it: distill incident show {incident_id}",
        )
    )


def symptoms_for(root: Path, incident_id: str) -> tuple[Symptom, ...]:
    """The symptoms, unless the incident has none: direct commands work while they are broken."""
    if Incident(root, incident_id).symptom_id is None:
        return ()
    from runbook.symptoms import SYMPTOMS

    return SYMPTOMS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
