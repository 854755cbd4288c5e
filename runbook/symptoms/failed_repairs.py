"""Repairs that were carried out and did not help: what the last resort is for.

Read from the incidents' journals. One counts once the incident is over (handed over, or left) with
its detector red after the repair, until a later one of the same symptom is resolved or an audit
passes. While somebody is still at it, it is no failure yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.contracts.faults import OperatorError
from pipeline.contracts.incidents import IncidentEntry
from pipeline.contracts.status import Severity, Verdict, epoch_seconds
from pipeline.reading.incidents import JOURNAL, incident_ids
from runbook.change.incident import Incident
from runbook.change.undo import plans_of
from runbook.probes.evidence import Record
from runbook.wizard.dialogue import fold

_SEVERE = (str(Severity.CRITICAL), str(Severity.ERROR))


class FailedRepair(Record):
    """``when`` is seconds since the epoch; ``said`` is what the detector said afterwards."""

    incident_id: str
    symptom_id: str
    state: str
    title: str
    said: str
    when: float


def failed_repairs(root: Path, *, since: float | None, apart: str) -> list[FailedRepair]:
    """Those after ``since`` (an audit that passed), oldest first, but for symptom ``apart``.

    A journal that cannot be read tells of none; ``incident verify`` is what complains of it.
    """
    last: dict[str, FailedRepair | None] = {}
    for incident_id in incident_ids(root):
        incident = Incident(root, incident_id)
        try:
            if since is not None and (incident.folder / JOURNAL).stat().st_mtime <= since:
                continue
            entries = incident.journal.entries()
        except (OperatorError, OSError):
            continue
        symptom_id = _severe_symptom(entries)
        if symptom_id is None or symptom_id == apart:
            continue
        if entries[-1].state == "resolved":
            last[symptom_id] = None
        elif fold(entries).is_over and (failed := _failure(incident_id, symptom_id, entries)):
            last[symptom_id] = failed
    found = [each for each in last.values() if each is not None]
    return sorted((each for each in found if since is None or each.when > since), key=lambda each: each.when)


def _severe_symptom(entries: Sequence[IncidentEntry]) -> str | None:
    detail = entries[0].detail if entries else {}
    symptom_id = detail.get("symptom_id")
    return symptom_id if isinstance(symptom_id, str) and detail.get("severity") in _SEVERE else None


def _failure(incident_id: str, symptom_id: str, entries: Sequence[IncidentEntry]) -> FailedRepair | None:
    """The last verification of a carried-out plan that found the symptom still there."""
    titles = {plan.hash: plan.title for plan in plans_of(entries)}
    for entry in reversed(entries):
        if entry.kind == "verified" and entry.verdict == Verdict.DETECTED:
            return FailedRepair(
                incident_id=incident_id,
                symptom_id=symptom_id,
                state=entries[-1].state,
                title=titles.get(entry.plan_hash or "", ""),
                said=str(entry.detail.get("says") or ""),
                when=epoch_seconds(entry.recorded_at) or 0.0,
            )
    return None
