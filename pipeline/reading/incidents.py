"""Every incident as its folder tells, read leniently: what a list and a hand-over need, and no more.

Whether a journal's chain holds, ``incident_journal`` tells; a line that cannot be read is noted, and
an incident without one that can is told as *unreadable* rather than left out.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.plurals import plural
from pipeline.platform.lenient_json import (
    Gone,
    Json,
    count_of,
    flag_of,
    object_in,
    object_of,
    read_bytes,
    reason,
    text_of,
)
from pipeline.reading.report_files import Notes, last_objects, read_object

JOURNAL = "journal.jsonl"
HEAD = "head.json"
FACTS = "incident.json"
JOURNAL_TAIL_BYTES = 1024 * 1024
INCIDENTS_LIMIT = 500
# States of the wizard from which nobody has to go on. What was escalated waits for somebody else.
CLOSED = ("resolved", "abandoned")
UNREADABLE = "unreadable"
# Its folder was made, and nothing was written into its journal: nobody has to go on.
NEVER_OPENED = "never_opened"
_KEPT = "kept"
# What there is before a first entry is whole: its facts, an empty store, the lease, a line cut off.
_BEFORE_THE_FIRST = (FACTS, JOURNAL, HEAD, _KEPT, "lease")
_ID = re.compile(r"[0-9a-z][0-9a-zA-Z.-]{0,120}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_REMEMBERED = "incident_heads"


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a journal, as something beside it remembers: ``head.json``, or an audit."""

    seq: int
    hash: str


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


def is_incident_id(name: str) -> bool:
    """Whether an incident may be called so: one plain name, no path."""
    return _ID.match(name) is not None


def incident_ids(root: Path) -> list[str]:
    """Every incident, oldest first. Raises OSError where that cannot be told: it is not none."""
    try:
        return [name for name in _folders(root) if is_incident_id(name)]
    except FileNotFoundError:
        return []


def _folders(root: Path) -> list[str]:
    with os.scandir(root / paths.INCIDENTS) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))


def read_facts(folder: Path) -> dict[str, Any]:
    """What the incident in ``folder`` is; empty when it cannot be read."""
    return object_in(folder / FACTS) or {}


def is_at_its_beginning(folder: Path) -> bool:
    """Whether nothing lies in ``folder`` but what opening an incident makes: not a byte was kept, no page
    written. Such a journal has one entry at most, however it ended. Raises OSError.
    """
    try:
        names = [each.name for each in folder.iterdir()]
    except FileNotFoundError:
        return False
    if any(name not in _BEFORE_THE_FIRST and not name.startswith((".", "torn-")) for name in names):
        return False
    return _KEPT not in names or not any((folder / _KEPT).iterdir())


def is_never_opened(folder: Path) -> bool:
    """Whether whoever began to open it was cut off before the first entry. False where it cannot be told."""
    journal = read_bytes(folder / JOURNAL)
    has_none = isinstance(journal, Gone) or (isinstance(journal, bytes) and b"\n" not in journal)
    try:
        return has_none and not (folder / HEAD).exists() and is_at_its_beginning(folder)
    except OSError:
        return False


def read_head(folder: Path) -> Head | None:
    """Where the journal ended, as ``head.json`` knows it; None when it says nothing readable."""
    return _head(object_in(folder / HEAD))


def incident_heads(root: Path) -> dict[str, dict[str, Any]]:
    """Where each journal ends, for an audit to remember. What cannot be read is left out; where the folder
    cannot be listed, what the last audit remembered stays remembered.

    A journal is hash-chained, and whoever can write the workspace can cut its end off and say so in
    its ``head.json``. The audit's report is a second place that remembers.
    """
    try:
        heads = {name: read_head(root / paths.INCIDENTS / name) for name in incident_ids(root)}
    except OSError:
        heads = {**remembered_heads(root)}
    return {name: {"seq": head.seq, "hash": head.hash} for name, head in heads.items() if head is not None}


def remembered_heads(root: Path) -> dict[str, Head]:
    """Where the last audit saw each journal end; empty without one, or with one that did not look."""
    report = object_in(root / paths.AUDIT_DATA)
    found = {name: _head(value) for name, value in object_of(report, _REMEMBERED).items()}
    return {name: head for name, head in found.items() if head and head.seq > 0 and is_incident_id(name)}


def _head(value: object) -> Head | None:
    seq, digest = count_of(value, "seq"), text_of(value, "hash")
    if seq is None or seq < 1 or digest is None or not _SHA256.match(digest):
        return None
    return Head(seq, digest)


def read_incidents(root: Path, notes: Notes) -> list[IncidentGlance]:
    """Every incident, oldest first; none when there is no folder yet.

    Where the folder cannot be listed ``notes.unreadable`` has it: what is empty then is not known.
    """
    try:
        names = _folders(root)
    except FileNotFoundError:
        return []
    except OSError as error:
        notes.says_nothing(paths.INCIDENTS, reason(error))
        return []
    if len(names) > INCIDENTS_LIMIT:
        notes.add(f"{plural(len(names), 'incident')}; only the newest {INCIDENTS_LIMIT} are looked at")
        names = names[-INCIDENTS_LIMIT:]
    return [_read(root, name, notes) for name in names]


def _read(root: Path, name: str, notes: Notes) -> IncidentGlance:
    folder = paths.INCIDENTS / name
    facts = read_object(root, folder / FACTS, notes)
    entries = last_objects(root, folder / JOURNAL, JOURNAL_TAIL_BYTES, notes)
    told = [object_of(entry, "detail") for entry in entries if text_of(entry, "kind") == "opened"]
    symptom = text_of(facts, "symptom_id") or next(
        (text for detail in told if (text := text_of(detail, "symptom_id"))), ""
    )
    title = text_of(facts, "title") or next(
        (text for detail in told if (text := text_of(detail, "title"))), ""
    )
    opened = epoch_seconds(text_of(facts, "opened_at"))
    if not entries and is_never_opened(root / folder):
        owner = text_of(facts, "opened_by") or ""
        return IncidentGlance(name, NEVER_OPENED, symptom, owner, opened, None, "", title, is_closed=True)
    if not entries:
        notes.add(f"{folder}/{JOURNAL} has no line that can be read")
        owner = text_of(facts, "opened_by") or ""
        return IncidentGlance(name, UNREADABLE, symptom, owner, opened, None, "", title)
    last = entries[-1]
    remarks = [why for entry in entries if (why := text_of(entry, "reason"))]
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
