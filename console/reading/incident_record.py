"""One incident as its folder tells it, entry by entry, for a replay. Reads only, and never raises.

Every line of the journal is shown, also one that is no entry: the chain's verdict is the
runbook's own, and what it says of a line stands beside that line. Where the runbook itself
cannot be loaded, or the journal is too large, that is said in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.contracts import paths
from pipeline.contracts.moments import epoch_seconds
from pipeline.platform.lenient_json import (
    Gone,
    Json,
    object_or_none,
    read_bytes,
    record_of,
    text_of,
)
from pipeline.reading.incidents import FACTS, JOURNAL, is_never_opened, remembered_heads
from pipeline.reading.report_files import Notes, read_object

if TYPE_CHECKING:
    from pipeline.contracts.incidents import IncidentEntry
    from runbook.wizard.dialogue import Standing

MOST_BYTES = 64 * 2**20
MOST_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal, counted from 1. ``problem`` is set where the chain breaks on it.

    ``is_entry`` is False for a line that no reader of journals takes. All texts are data.
    """

    number: int
    kind: str = ""
    state: str = ""
    actor: str = ""
    host: str = ""
    at: float | None = None
    argv: tuple[str, ...] = ()
    inputs: Json = field(default_factory=dict)
    outputs: Json = field(default_factory=dict)
    verdict: str = ""
    plan_hash: str = ""
    reason: str = ""
    detail: Json = field(default_factory=dict)
    problem: str = ""
    is_entry: bool = True


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """``problems`` are of the file as a whole; ``trouble`` says why there is nothing to replay."""

    id: str
    title: str = ""
    symptom_id: str = ""
    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()
    trouble: str = ""
    held_by: str = ""
    can_undo: bool = False
    page: str = ""
    valid: tuple[IncidentEntry, ...] = ()
    """The entries before the first broken one, which alone are verified."""

    @property
    def is_whole(self) -> bool:
        return not (self.trouble or self.problems or any(entry.problem for entry in self.entries))

    @property
    def first_broken(self) -> Entry | None:
        return next((entry for entry in self.entries if entry.problem), None)


def read_record(root: Path, incident_id: str) -> IncidentRecord:
    """Read it all. Blocking."""
    folder = root / paths.INCIDENTS / incident_id
    facts = read_object(root, paths.INCIDENTS / incident_id / FACTS, Notes())
    record = IncidentRecord(incident_id, text_of(facts, "title") or "", text_of(facts, "symptom_id") or "")
    if is_never_opened(folder):
        return replace(record, trouble="it was never opened: cut off before its first entry")
    data = read_bytes(folder / JOURNAL, most_bytes=MOST_BYTES)
    if isinstance(data, Gone):
        return replace(record, trouble="it has no journal")
    if not isinstance(data, bytes):
        return replace(record, trouble=f"its journal cannot be read: {data.why}")
    # What follows the last line break is no entry: the chain's verdict tells of it.
    lines = data.split(b"\n")[:-1]
    if len(lines) > MOST_ENTRIES:
        return replace(record, trouble=f"its journal has {len(lines):,} entries, too many to replay here")
    record = replace(
        record, entries=tuple(_entry(number, line) for number, line in enumerate(lines, start=1))
    )
    try:
        return _judged(root, record, lines)
    except Exception as error:  # noqa: BLE001 - a runbook that cannot be loaded must not hide the journal
        why = f"the chain was not verified: {type(error).__name__}: {error}"
        return replace(record, problems=(why,))


def _entry(number: int, line: bytes) -> Entry:
    value = object_or_none(line)
    if value is None:
        return Entry(number, problem="is no entry of a journal", is_entry=False)
    at, kind = epoch_seconds(text_of(value, "recorded_at")), text_of(value, "kind") or "?"
    return record_of(Entry, value, number=number, kind=kind, at=at, problem="", is_entry=True)


def _judged(root: Path, record: IncidentRecord, lines: list[bytes]) -> IncidentRecord:
    """With the runbook's own verdict on the chain, and what it reads of the part that holds."""
    from pipeline.contracts.incidents import IncidentEntry
    from pipeline.reading.incident_journal import record_problems
    from runbook.change.incident import Incident
    from runbook.change.undo import last_undoable
    from runbook.wizard.dialogue import fold
    from runbook.wizard.handover import page

    incident = Incident(root, record.id)
    said: dict[int, str] = {}
    of_the_file: list[str] = []
    for problem in record_problems(root, record.id, remembered_heads(root)):
        if 1 <= problem.line <= len(lines):
            said.setdefault(problem.line, problem.says)
        else:
            of_the_file.append(problem.says)
    good = min(said, default=len(lines) + 1) - 1
    valid = tuple(IncidentEntry.model_validate_json(line) for line in lines[:good])
    text, can_undo = "", False
    try:
        text = page(record.id, fold(valid), valid, record.title)
        can_undo = not said and last_undoable(valid) is not None
    except (ValueError, KeyError, TypeError) as error:
        of_the_file.append(f"cannot be read as a whole by this runbook: {type(error).__name__}")
    holder = incident.lease_holder()
    return replace(
        record,
        entries=tuple(replace(entry, problem=said.get(entry.number, "")) for entry in record.entries),
        problems=tuple(of_the_file),
        held_by="" if holder is None else holder.user or "somebody",
        can_undo=can_undo,
        page=text,
        valid=valid,
    )


def standing_at(record: IncidentRecord, number: int) -> Standing | None:
    """What was known once entry ``number`` was written; None where the chain does not reach so far."""
    from runbook.wizard.dialogue import fold

    if number > len(record.valid):
        return None
    try:
        return fold(record.valid[:number])
    except (ValueError, KeyError, TypeError):
        return None
