"""Every incident as its folder tells, read leniently: what a list and a hand-over need, and no more.

Whether a journal's chain holds is the runbook's to verify; a line that cannot be read is noted, and
an incident without one that can is told as *unreadable* rather than left out.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.status import epoch_seconds
from pipeline.platform.lenient_json import Json, flag_of, object_of, text_of
from pipeline.reading.report_files import Notes, last_objects, read_object

JOURNAL_TAIL_BYTES = 1024 * 1024
INCIDENTS_LIMIT = 500
# States of the wizard from which nobody has to go on. What was escalated waits for somebody else.
CLOSED = ("resolved", "abandoned")
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class IncidentGlance:
    """``owner`` is who opened it, or took it over since. Texts are data.

    ``symptom`` is empty for what was done directly, without a wizard. ``is_closed``: somebody
    said that it ends here, or it was contained and there is no cause to look for.
    """

    id: str
    state: str
    symptom: str
    owner: str
    opened: float | None
    changed: float | None
    last_note: str
    title: str = ""
    is_closed: bool = False

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED and not self.is_closed


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
    return [_read(root, name, notes) for name in names]


def _read(root: Path, name: str, notes: Notes) -> IncidentGlance:
    folder = paths.INCIDENTS / name
    facts = read_object(root, folder / "incident.json", notes)
    entries = last_objects(root, folder / "journal.jsonl", JOURNAL_TAIL_BYTES, notes)
    told = [object_of(entry, "detail") for entry in entries if text_of(entry, "kind") == "opened"]
    symptom = text_of(facts, "symptom_id") or next(
        (text for detail in told if (text := text_of(detail, "symptom_id"))), ""
    )
    title = text_of(facts, "title") or next(
        (text for detail in told if (text := text_of(detail, "title"))), ""
    )
    opened = epoch_seconds(text_of(facts, "opened_at"))
    if not entries:
        notes.add(f"{folder}/journal.jsonl has no line that can be read")
        owner = text_of(facts, "opened_by") or ""
        return IncidentGlance(name, UNREADABLE, symptom, owner, opened, None, "", title)
    last = entries[-1]
    remarks = [reason for entry in entries if (reason := text_of(entry, "reason"))]
    state = text_of(last, "state") or "?"
    return IncidentGlance(
        id=name,
        state=state,
        symptom=symptom,
        owner=_owner(entries) or text_of(facts, "opened_by") or text_of(last, "actor") or "",
        opened=opened if opened is not None else epoch_seconds(text_of(entries[0], "recorded_at")),
        changed=epoch_seconds(text_of(last, "recorded_at")),
        last_note=remarks[-1] if remarks else "",
        title=title,
        is_closed=_is_closed(entries) or (not symptom and state == "mitigated"),
    )


def _owner(entries: list[Json]) -> str:
    """Who acts in it: the actor of the entry that opened it, or of the last one that took it over."""
    owners = [
        text_of(each, "actor") or "" for each in entries if text_of(each, "kind") in ("opened", "owner")
    ]
    return owners[-1] if owners else ""


def _is_closed(entries: list[Json]) -> bool:
    """Whether somebody ended it and nobody looked for a cause again since, as a wizard folds it.

    An escalation closes a wizard too, and the incident is still somebody's to go on with.
    """
    for entry in reversed(entries):
        if text_of(entry, "kind") == "classified":
            return False
        if flag_of(object_of(entry, "detail"), "closed") is True:
            return text_of(entry, "state") != "escalated"
    return False
