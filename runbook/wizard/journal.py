"""An incident's journal: one hash-chained, fsynced JSON line an entry. No journal, no action.

The state of a wizard *is* its journal, so a line that was not finished (a torn tail) is no
entry: it is set aside and the journal goes on behind the last whole one. The chain shows an
edit, a dropped line in the middle and a changed order by itself; a dropped tail shows against
the head that ``head.json`` keeps, as far as that was not changed as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.contracts.faults import Fault, IntegrityError
from pipeline.contracts.incidents import INCIDENT_SCHEMA_VERSION, EntryKind, IncidentEntry, WizardState
from pipeline.platform import confined
from pipeline.platform.disk import storage_fault
from pipeline.platform.identity import host_name, user_name
from pipeline.platform.lenient_json import object_in

FILE = "journal.jsonl"
HEAD = "head.json"
FACTS = "incident.json"
NO_JOURNAL = "Without its journal nothing is done."


@dataclass(frozen=True)
class Head:
    """The last entry that ``head.json`` knows of."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Problem:
    """Something wrong with the chain. ``line`` is counted from 1; 0 means the file as a whole."""

    line: int
    says: str


def canonical(entry: Mapping[str, Any]) -> bytes:
    """The bytes that an entry's hash covers: sorted members without ``hash``, no white space."""
    members = {name: value for name, value in entry.items() if name != "hash"}
    return json.dumps(
        members, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def hash_of(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(entry)).hexdigest()


class Journal:
    """The journal in ``folder``. One writer at a time: whoever holds the incident's lease.

    Only that of a rehearsal, which ends with its process, is not ``durable``.
    """

    def __init__(self, folder: Path, incident_id: str, *, durable: bool = True) -> None:
        self.folder = folder
        self.path = folder / FILE
        self._incident_id = incident_id
        self._durable = durable

    def entries(self) -> list[IncidentEntry]:
        """Every whole entry. Raises IntegrityError for one that is no entry, or out of its chain.

        An unfinished last line is passed over.
        """
        whole, _ = self._read()
        entries, problems = _parse(whole)
        if problems:
            first = problems[0]
            raise IntegrityError(
                Fault(
                    "journal_broken",
                    f"{self.path}:{first.line} {first.says}.",
                    "Nothing was changed; the files of the incident are in place.",
                    f"Look at it: distill incident verify {self._incident_id}. Then act by hand, "
                    "or open a new incident.",
                    file=str(self.path),
                    line=first.line,
                )
            )
        return entries

    def append(
        self,
        kind: EntryKind,
        state: WizardState,
        *,
        argv: Sequence[str] = (),
        inputs: Mapping[str, str | None] | None = None,
        outputs: Mapping[str, str | None] | None = None,
        verdict: str | None = None,
        plan_hash: str | None = None,
        reason: str | None = None,
        actor: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> IncidentEntry:
        """Add one entry, on disk before this returns. Raises StorageError, and then nothing may follow."""
        before = self.entries()
        members: dict[str, Any] = {
            "schema_version": INCIDENT_SCHEMA_VERSION,
            "incident_id": self._incident_id,
            "seq": len(before) + 1,
            "prev_hash": before[-1].hash if before else None,
            "kind": kind,
            "state": state,
            "actor": actor or user_name(),
            "host": host_name(),
            "argv": list(argv),
            "inputs": dict(inputs or {}),
            "outputs": dict(outputs or {}),
            "verdict": verdict,
            "plan_hash": plan_hash,
            "reason": reason,
            "detail": dict(detail or {}),
            "recorded_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        members = _writable(members)
        members["hash"] = hash_of(members)
        entry = IncidentEntry.model_validate(members)
        try:
            self._write(json.dumps(members, ensure_ascii=False, allow_nan=False).encode() + b"\n")
            self._write_head({"seq": entry.seq, "hash": entry.hash})
        except OSError as error:
            raise storage_fault(error, self.path, NO_JOURNAL) from error
        return entry

    def problems(self, remembered: Head | None = None) -> list[Problem]:
        """Everything that is wrong with the chain, and with its end against ``head.json``.

        ``remembered`` is where the last audit saw it end: nobody may have cut it off since.
        """
        whole, torn = self._read()
        entries, problems = _parse(whole)
        if torn:
            problems.append(Problem(len(whole) + 1, "ends in the middle of a line (a killed writer)"))
        head = read_head(self.folder)
        if head is None:
            problems.append(Problem(0, f"{HEAD} does not say where the journal ended"))
        elif head.seq > len(entries):
            problems.append(Problem(0, f"ends at entry {len(entries)}, but had {head.seq}: the tail is gone"))
        elif head.seq and entries[head.seq - 1].hash != head.hash:
            problems.append(Problem(head.seq, f"is not the entry that {HEAD} knows"))
        if remembered is not None and remembered.seq > len(entries):
            says = f"ends at entry {len(entries)}, but the last audit saw {remembered.seq}: the tail is gone"
            problems.append(Problem(0, says))
        elif remembered is not None and entries[remembered.seq - 1].hash != remembered.hash:
            problems.append(Problem(remembered.seq, "is not the entry that the last audit saw"))
        return problems

    def _read(self) -> tuple[list[bytes], bytes]:
        try:
            with (
                confined.opened(self.folder, FILE) as descriptor,
                open(descriptor, "rb", closefd=False) as file,
            ):
                data = file.read()
        except FileNotFoundError:
            return [], b""
        except OSError as error:
            raise storage_fault(error, self.path, NO_JOURNAL) from error
        *whole, torn = data.split(b"\n")
        return whole, torn

    def _write(self, line: bytes) -> None:
        self._set_torn_tail_aside()
        confined.append(self.folder, FILE, line, durable=self._durable)

    def _write_head(self, head: Mapping[str, Any]) -> None:
        # Not synced: it may lag behind the journal after a power cut, which is no problem, and
        # each sync would double the time of an entry (5 ms on a laptop's disk).
        confined.put(self.folder, HEAD, json.dumps(head).encode(), durable=False)

    def _set_torn_tail_aside(self) -> None:
        whole, torn = self._read()
        if torn:
            size = sum(len(line) + 1 for line in whole)
            confined.put(self.folder, f"torn-{size + len(torn)}.bin", torn)
            confined.truncate(self.folder, FILE, size)


def _parse(lines: Sequence[bytes]) -> tuple[list[IncidentEntry], list[Problem]]:
    entries: list[IncidentEntry] = []
    problems: list[Problem] = []
    previous: str | None = None
    for number, line in enumerate(lines, start=1):
        try:
            members = json.loads(line)
            entry = IncidentEntry.model_validate(members)
        except (ValueError, RecursionError, ValidationError):
            problems.append(Problem(number, "is no entry of a journal"))
            previous = None
            continue
        if hash_of(members) != entry.hash:
            problems.append(Problem(number, "was edited: its hash does not cover it"))
        if entry.prev_hash != previous:
            problems.append(Problem(number, "does not follow the line before it"))
        elif entry.seq != number:
            problems.append(Problem(number, f"calls itself entry {entry.seq}"))
        previous = entry.hash
        entries.append(entry)
    return entries, problems


def _writable(value: Any) -> Any:
    """``value`` as JSON that any reader takes: lone surrogates (odd file names) become escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_writable(name): _writable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(each) for each in value]
    return value


def read_head(folder: Path) -> Head | None:
    """Where the journal ended, as ``head.json`` knows it; None when it says nothing readable."""
    head = object_in(folder / HEAD) or {}
    seq, digest = head.get("seq"), head.get("hash")
    return Head(seq, digest) if isinstance(seq, int) and isinstance(digest, str) else None


def read_facts(folder: Path) -> dict[str, Any]:
    """``incident.json``; empty when it cannot be read."""
    return object_in(folder / FACTS) or {}


def write_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    """``incident.json``, all or nothing. Raises OSError."""
    confined.put(folder, FACTS, json.dumps(facts, indent=2, ensure_ascii=False).encode() + b"\n")
