"""Apply and verify in a process of its own: ``python -P -m runbook.worker ROOT INCIDENT PLAN [PIPE]``.

A fault goes to standard error, which is a file beside the journal, and to ``PIPE``, the number of a pipe of
whoever started it: where the disk is full, the file takes nothing.

Started by ``runbook.wizard.worker``. Consent is in the journal before it starts; without it nothing is
done.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.contracts.faults import Fault
from pipeline.platform.voice import speak
from runbook.change.incident import Incident
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.wizard.session import reopen_session
from runbook.wizard.worker import another_plan, carry_out


def main(arguments: Sequence[str]) -> int:
    """Exit 0 applied and verified, 11 void or not consented, 12 not verified, 75 somebody else acts."""
    kept_safe = "What was done is in the journal; a change without an outcome is settled first."
    root, incident_id, plan_hash, *pipe = arguments
    return speak(
        lambda: _run(root, incident_id, plan_hash),
        who="The worker",
        kept_safe=kept_safe,
        also_tell=functools.partial(_tell, pipe),
    )


def _tell(pipe: Sequence[str], fault: Fault) -> None:
    lines = "\n".join(fault.as_lines())
    for number in pipe:
        with contextlib.suppress(OSError, ValueError):  # who started us may have gone away
            os.write(int(number), f"{lines}\n".encode())


def _run(root: str, incident_id: str, plan_hash: str) -> int:
    known = symptoms_for(Incident(Path(root), incident_id))
    session = reopen_session(Workspace(Path(root)), incident_id, known)
    with session.lease():
        plan = session.standing.plan
        if plan is None or plan.hash != plan_hash:
            raise another_plan(incident_id)
        return int(carry_out(session))


def symptoms_for(incident: Incident) -> tuple[Symptom, ...]:
    """The symptoms, unless the incident has none: direct commands work while they are broken."""
    if incident.symptom_id is None:
        return ()
    from runbook.symptoms import SYMPTOMS

    return SYMPTOMS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
