"""Does an incident's journal hold? Its hash chain, line by line, and its end against what remembers it.

The chain shows an edit, a dropped line in the middle and a changed order by itself; a dropped tail
shows against ``head.json`` and the last audit, as far as those were not changed as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.contracts import paths
from pipeline.contracts.incidents import IncidentEntry
from pipeline.contracts.plurals import plural
from pipeline.platform import confined
from pipeline.reading.incidents import HEAD, JOURNAL, Head, is_at_its_beginning, read_head


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


def record_problems(root: Path, incident_id: str, heads: Mapping[str, Head]) -> list[Problem]:
    """What is wrong with the incident's record. ``heads`` are those that the last audit saw.

    Raises OSError when it cannot be read.
    """
    folder = root / paths.INCIDENTS / incident_id
    if incident_id in heads and not folder.is_dir():
        return [Problem(0, f"is gone; the last audit saw {plural(heads[incident_id].seq, 'entry')}")]
    return chain_problems(folder, heads.get(incident_id))


def chain_problems(folder: Path, remembered: Head | None = None) -> list[Problem]:
    """Everything that is wrong with the chain, and with its end against ``head.json``.

    ``remembered`` is where the last audit saw it end: nobody may have cut it off since. Raises OSError.
    """
    whole, torn = read_lines(folder)
    entries, problems = parse(whole)
    # Cut off while it was opened: nobody has told yet where it ends, and there is nothing that could be gone.
    begins = len(whole) < 2 and not (folder / HEAD).exists() and is_at_its_beginning(folder)
    if torn and not (begins and not whole):
        problems.append(Problem(len(whole) + 1, "ends in the middle of a line (a killed writer)"))
    head = read_head(folder)
    if begins:
        pass
    elif head is None:
        problems.append(Problem(0, f"{HEAD} does not say where the journal ended"))
    elif head.seq > len(entries):
        problems.append(Problem(0, f"ends at entry {len(entries)}, but had {head.seq}: the tail is gone"))
    elif entries[head.seq - 1].hash != head.hash:
        problems.append(Problem(head.seq, f"is not the entry that {HEAD} knows"))
    if remembered is not None and remembered.seq > len(entries):
        says = f"ends at entry {len(entries)}, but the last audit saw {remembered.seq}: the tail is gone"
        problems.append(Problem(0, says))
    elif remembered is not None and entries[remembered.seq - 1].hash != remembered.hash:
        problems.append(Problem(remembered.seq, "is not the entry that the last audit saw"))
    return problems


def read_lines(folder: Path) -> tuple[list[bytes], bytes]:
    """The whole lines, and what follows the last of them. Raises OSError."""
    try:
        *whole, torn = confined.read_bytes(folder, JOURNAL).split(b"\n")
    except FileNotFoundError:
        return [], b""
    return whole, torn


def parse(
    lines: Sequence[bytes], after: Sequence[IncidentEntry] = ()
) -> tuple[list[IncidentEntry], list[Problem]]:
    """The entries of ``lines``, which follow the sound entries ``after``, and what is wrong with them."""
    entries: list[IncidentEntry] = []
    problems: list[Problem] = []
    previous = after[-1].hash if after else None
    for number, line in enumerate(lines, start=len(after) + 1):
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
