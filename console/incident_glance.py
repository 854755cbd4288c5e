"""Open incidents as their journals tell, read leniently: what a hand-over needs, and no more.

Whether a journal's chain holds is the runbook's to verify; a line that cannot be read is noted.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from console.report_files import Notes, last_objects, object_of, text_of
from pipeline.contracts import paths
from pipeline.contracts.status import epoch_seconds

JOURNAL_TAIL_BYTES = 1024 * 1024
INCIDENTS_LIMIT = 500
# States of the wizard from which nobody has to go on.
CLOSED = ("resolved", "abandoned")


@dataclass(frozen=True, slots=True)
class IncidentGlance:
    """``owner`` is who took it last, else who acted last. Texts are data."""

    id: str
    state: str
    symptom: str
    owner: str
    opened: float | None
    changed: float | None
    last_note: str

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED


def read_incidents(root: Path, notes: Notes) -> list[IncidentGlance]:
    """Every incident, oldest first; none when there is no folder yet."""
    folder = root / paths.INCIDENTS
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []
    except OSError as error:
        notes.add(f"{paths.INCIDENTS} cannot be read: {error.strerror}")
        return []
    if len(names) > INCIDENTS_LIMIT:
        notes.add(f"{len(names):,} incidents; only the newest {INCIDENTS_LIMIT} are looked at")
        names = names[-INCIDENTS_LIMIT:]
    return [found for name in names if (found := _read(root, name, notes)) is not None]


def _read(root: Path, name: str, notes: Notes) -> IncidentGlance | None:
    relative = paths.INCIDENTS / name / "journal.jsonl"
    entries = last_objects(root, relative, JOURNAL_TAIL_BYTES, notes)
    if not entries:
        notes.add(f"{relative} has no line that can be read")
        return None
    owners = [entry for entry in entries if text_of(entry, "kind") == "owner"]
    remarks = [reason for entry in entries if (reason := text_of(entry, "reason"))]
    last = entries[-1]
    symptoms = [text for entry in entries if (text := text_of(object_of(entry, "detail"), "symptom_id"))]
    return IncidentGlance(
        id=name,
        state=text_of(last, "state") or "?",
        symptom=symptoms[0] if symptoms else "",
        owner=(text_of(object_of(owners[-1], "detail"), "owner") if owners else None)
        or text_of(owners[-1] if owners else last, "actor")
        or "",
        opened=epoch_seconds(text_of(entries[0], "recorded_at")),
        changed=epoch_seconds(text_of(last, "recorded_at")),
        last_note=remarks[-1] if remarks else "",
    )
