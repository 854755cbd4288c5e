"""Where the last audit saw each incident's journal end: a second memory beside ``head.json``."""

from __future__ import annotations

from pathlib import Path

from runbook.probes.check_reports import last_audit
from runbook.probes.workspace import Workspace
from runbook.wizard.incident import Incident, is_incident_id
from runbook.wizard.journal import Head, Problem

_MEMBER = "incident_heads"


def remembered_heads(root: Path) -> dict[str, Head]:
    """By incident id; empty without an audit, or with one that did not look."""
    report = last_audit(Workspace(root))
    found = report.raw.get(_MEMBER) if report is not None else None
    heads = {}
    for name, value in found.items() if isinstance(found, dict) else ():
        seq, digest = (value.get("seq"), value.get("hash")) if isinstance(value, dict) else (None, None)
        if isinstance(seq, int) and seq > 0 and isinstance(digest, str) and is_incident_id(name):
            heads[name] = Head(seq, digest)
    return heads


def record_problems(incident: Incident, heads: dict[str, Head]) -> list[Problem]:
    """What is wrong with the incident's record. Raises StorageError, RefusedError."""
    if incident.id in heads and not incident.folder.is_dir():
        return [Problem(0, f"is gone; the last audit saw {heads[incident.id].seq} entries")]
    return incident.journal.problems(heads.get(incident.id))
