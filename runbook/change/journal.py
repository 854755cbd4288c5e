"""An incident's journal: one hash-chained, fsynced JSON line an entry. No journal, no action.

The state of a wizard *is* its journal, so a line that was not finished (a torn tail) is no
entry: it is set aside and the journal goes on behind the last whole one. The chain shows an
edit, a dropped line in the middle and a changed order by itself; a dropped tail shows against
the head that ``head.json`` keeps, as far as that was not changed as well.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import IntegrityError
from pipeline.contracts.incidents import INCIDENT_SCHEMA_VERSION, EntryKind, IncidentEntry, WizardState
from pipeline.contracts.moments import precise_utc
from pipeline.platform import confined
from pipeline.platform.disk_faults import storage_fault
from pipeline.platform.identity import host_name, user_name
from pipeline.reading.incident_journal import Problem, chain_problems, hash_of, parse, read_lines
from pipeline.reading.incidents import FACTS, HEAD, JOURNAL, Head, read_head

KEPT = "kept"
"""Beside a journal: the bytes that were replaced, by their digest."""
NO_JOURNAL = "Without its journal nothing is done."


class Journal:
    """The journal in ``folder``. One writer at a time: whoever holds the incident's lease.

    Only that of a rehearsal, which ends with its process, is not ``durable``.
    """

    def __init__(self, folder: Path, incident_id: str, *, durable: bool = True) -> None:
        self.folder = folder
        self.path = folder / JOURNAL
        self._incident_id = incident_id
        self._durable = durable
        # What was read and found whole; a plan of many steps reads its journal after each of them.
        self._sound_lines: list[bytes] = []
        self._sound: list[IncidentEntry] = []

    def entries(self) -> list[IncidentEntry]:
        """Every whole entry. Raises IntegrityError for one that is no entry, or out of its chain.

        An unfinished last line is passed over.
        """
        whole, _ = self._read()
        if whole[: len(self._sound_lines)] != self._sound_lines:
            self._sound_lines, self._sound = [], []
        more, problems = parse(whole[len(self._sound_lines) :], self._sound)
        if problems:
            first = problems[0]
            raise IntegrityError.of(
                "journal_broken",
                f"{self.path}:{first.line} {first.says}.",
                "Nothing is done while it cannot be read. What was replaced by then lies in "
                f"{paths.INCIDENTS / self._incident_id / KEPT}.",
                f"Look at it: distill incident verify {self._incident_id}. For what is wrong now, a new "
                "one: distill runbook detect",
                file=str(self.path),
                line=first.line,
            )
        self._sound_lines, self._sound = whole, [*self._sound, *more]
        return list(self._sound)

    def has_entries(self) -> bool:
        """Whether a first line was finished, whatever it says. Raises StorageError."""
        return bool(self._read()[0])

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
            "recorded_at": precise_utc(time.time()),
        }
        members = _writable(members)
        members["hash"] = hash_of(members)
        entry = IncidentEntry.model_validate(members)
        try:
            if len(before) == 1 and read_head(self.folder) is None:
                # Whoever opened it was cut off here; without it the second entry could be cut off unseen.
                self._write_head({"seq": before[0].seq, "hash": before[0].hash})
            self._write(json.dumps(members, ensure_ascii=False, allow_nan=False).encode() + b"\n")
            self._write_head({"seq": entry.seq, "hash": entry.hash})
        except OSError as error:
            raise storage_fault(error, self.path, NO_JOURNAL) from error
        return entry

    def problems(self, remembered: Head | None = None) -> list[Problem]:
        """As ``chain_problems``. Raises StorageError."""
        try:
            return chain_problems(self.folder, remembered)
        except OSError as error:
            raise storage_fault(error, self.path, NO_JOURNAL, doing="read") from error

    def _read(self) -> tuple[list[bytes], bytes]:
        try:
            return read_lines(self.folder)
        except OSError as error:
            raise storage_fault(error, self.path, NO_JOURNAL, doing="read") from error

    def _write(self, line: bytes) -> None:
        self._set_torn_tail_aside()
        confined.append(self.folder, JOURNAL, line, durable=self._durable)

    def _write_head(self, head: Mapping[str, Any]) -> None:
        # Not synced: it may lag behind the journal after a power cut, which is no problem, and
        # each sync would double the time of an entry (5 ms on a laptop's disk).
        confined.put(self.folder, HEAD, json.dumps(head).encode(), durable=False)

    def _set_torn_tail_aside(self) -> None:
        whole, torn = self._read()
        if torn:
            size = sum(len(line) + 1 for line in whole)
            confined.put(self.folder, f"torn-{size + len(torn)}.bin", torn)
            confined.truncate(self.folder, JOURNAL, size)


def _writable(value: Any) -> Any:
    """``value`` as JSON that any reader takes: lone surrogates (odd file names) become escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_writable(name): _writable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(each) for each in value]
    return value


def write_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    """``incident.json``, all or nothing. Raises OSError."""
    confined.put(folder, FACTS, json.dumps(facts, indent=2, ensure_ascii=False).encode() + b"\n")
