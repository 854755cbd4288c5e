"""The incident of a breach that stood when the batch began, opened before a run replaces the file.

A broken runbook costs the incident, never the batch: the bytes are kept beside the run's report.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.contracts.faults import OperatorError
from pipeline.contracts.untrusted import visible

LEAK = "S1.P4.sft-leak"


def open_incident(root: Path) -> tuple[str, str]:
    """The incident's id, and the sentence to tell. The id is empty when none could be opened."""
    try:
        from runbook.probes.workspace import Workspace
        from runbook.symptoms import SYMPTOMS
        from runbook.wizard.driver import Driver

        symptom = next(each for each in SYMPTOMS if each.id == LEAK)
        session = Driver(Workspace(root), symptom, argv=("distill", "--batch")).open()
    except OperatorError as error:
        return "", f"no incident was opened: {visible(error.fault.what_happened, 300)}"
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the runbook, the batch goes on
        return "", f"no incident was opened: {type(error).__name__}: {visible(str(error), 300)}"
    return session.incident.id, f"incident {session.incident.id}: distill runbook open {LEAK}"
