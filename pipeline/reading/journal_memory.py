"""What an audit read of the journals, for the next one to hold them to: ``reports/journals.jsonl``.

A journal is appended to, by us and by hand, and what was read of it once must still be its beginning.
Each line here remembers length and digest of what was read, and is chained to the line before by its hash.
Two things hold it in turn: the last audit's report names where the chain ended, and the chain knows that
report's digest. So one of them that is changed, cut or taken away is found by the other. Whoever changes
both, and the journal, is not found from inside of the workspace.

``remember`` is the one mouth. Audits renew what they read; a plan that puts a journal back says so before it
does; ``distill baseline adopt`` takes changed journals as they are, with a name and a reason.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pipeline.contracts import paths
from pipeline.contracts.faults import WorkspaceLockedError
from pipeline.contracts.moments import now_utc
from pipeline.contracts.untrusted import visible
from pipeline.platform import confined, lock
from pipeline.platform.disk_faults import storage_fault
from pipeline.platform.identity import user_name
from pipeline.platform.lenient_json import (
    Json,
    count_of,
    flag_of,
    object_in,
    object_of,
    object_or_none,
    objects_of,
    text_of,
)
from pipeline.reading.incidents import FACTS, incident_ids

_VERSION = 1
PIECE = 2**20
# Of older runs nobody draws a verdict.
_RUNS = 20
# The member of an audit's report that says where the chain ended.
IN_REPORT = "journal_memory"
_LOCK = paths.STATE / "journals.lock"
NOTHING_DONE = "Nothing was changed; what was remembered of the journals stands."


@dataclass(frozen=True, slots=True)
class Seen:
    """The first ``bytes`` of a file and their digest; with ``whole`` there must be no more of it."""

    bytes: int
    sha256: str
    whole: bool = False


# A file of which nothing is known any more: whatever it holds, or that it is gone, is fine.
NOTHING = Seen(0, hashlib.sha256(b"").hexdigest())


@dataclass
class Memory:
    """``known`` has, by path, what a file may begin with; several while it is being replaced. ``earlier`` has
    all that it was ever known to begin with, oldest first.

    ``hashes`` are those of the chain's lines, and ``problems`` what is wrong with the chain itself. ``head``
    is where it ends, for the report of an audit: where something is wrong, what the last report knew, so that
    it goes on being missed.
    """

    known: dict[str, tuple[Seen, ...]] = field(default_factory=dict)
    earlier: dict[str, list[Seen]] = field(default_factory=dict)
    hashes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    head: Json = field(default_factory=dict)


def read_memory(root: Path) -> Memory:
    """Fold the chain; a line without its end counts as never written. Raises OSError."""
    memory, report = Memory(), ""
    for number, line in enumerate(_lines(root)[0], start=1):
        row = object_or_none(line)
        if row is None:
            memory.problems.append(f"line {number} is none of its lines")
            continue
        before = memory.hashes[-1] if memory.hashes else None
        if row.get("hash") != _hash_of(row):
            memory.problems.append(f"line {number} was edited: its hash does not cover it")
        elif row.get("prev_hash") != before or row.get("seq") != len(memory.hashes) + 1:
            memory.problems.append(f"line {number} does not follow the line before it")
        memory.hashes.append(str(row.get("hash")))
        if (adopted := text_of(row, "adopts")) is not None:
            memory.problems, report = [], adopted
        for name in object_of(row, "known"):
            memory.known[name] = tuple(_seen(each) for each in objects_of(object_of(row, "known"), name))
            memory.earlier.setdefault(name, []).extend(memory.known[name])
    told = object_of(object_in(root / paths.AUDIT_DATA), IN_REPORT)
    if not report or report != report_digest(root):
        memory.problems += _cut_off(told, memory)
    ours = {"seq": len(memory.hashes), "hash": memory.hashes[-1] if memory.hashes else None}
    memory.head = told if memory.problems and told else ours
    return memory


def _lines(root: Path) -> tuple[list[bytes], bytes]:
    """The whole lines, and what follows the last of them. Raises OSError."""
    try:
        *whole, torn = confined.read_bytes(root, paths.JOURNAL_MEMORY).split(b"\n")
    except FileNotFoundError:
        return [], b""
    return whole, torn


def _cut_off(told: Json, memory: Memory) -> Iterator[str]:
    """What the last audit's report knows of the chain, and does not find."""
    seq, digest = count_of(told, "seq"), text_of(told, "hash")
    if not seq:
        return
    if seq > len(memory.hashes):
        yield f"ends at line {len(memory.hashes)}, but the last audit saw {seq}: the tail is gone"
    elif memory.hashes[seq - 1] != digest:
        yield f"line {seq} is not the one that the last audit saw"


def report_digest(root: Path) -> str:
    try:
        return see(root, str(paths.AUDIT_DATA)).sha256
    except OSError:
        return NOTHING.sha256


def _seen(row: Json) -> Seen:
    return Seen(count_of(row, "bytes") or 0, text_of(row, "sha256") or "", flag_of(row, "whole") is True)


def _hash_of(row: Mapping[str, Any]) -> str:
    members = {name: value for name, value in row.items() if name != "hash"}
    data = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(data.encode("utf-8", "surrogatepass")).hexdigest()


def guarded(root: Path) -> dict[str, bool]:
    """The journals that there are, by path; True for a file that is never appended to. Raises OSError."""
    names = {str(path): False for path in (paths.AUDIT_BASELINES, paths.REPLAY_RUNS)}
    names |= {f"{paths.INCIDENTS}/{each}/{FACTS}": True for each in incident_ids(root)}
    names |= {str(paths.events_file(each)): False for each in _runs(root)}
    return {name: whole for name, whole in names.items() if (root / name).is_file()}


def _runs(root: Path) -> list[str]:
    try:
        folders = [each.name for each in (root / paths.REPORTS).iterdir() if each.is_dir()]
    except FileNotFoundError:
        return []
    return sorted(folders)[-_RUNS:]


def see(root: Path, name: str, *, whole: bool = False) -> Seen:
    """The file as it is now. Raises OSError."""
    with confined.opened(root, name) as descriptor, open(descriptor, "rb", closefd=False) as file:
        size, digest = digest_of(file, None)
    return Seen(size, digest, whole)


def of_bytes(data: bytes, *, whole: bool = False) -> Seen:
    """What a file with just these bytes is seen as."""
    return Seen(len(data), hashlib.sha256(data).hexdigest(), whole)


def digest_of(file: IO[bytes], size: int | None) -> tuple[int, str]:
    """How many of the first ``size`` bytes there are (None: of all), and their SHA-256."""
    digest, taken = hashlib.sha256(), 0
    while piece := file.read(PIECE if size is None else min(PIECE, size - taken)):
        digest.update(piece)
        taken += len(piece)
    return taken, digest.hexdigest()


def remember(
    root: Path, known: Mapping[str, Sequence[Seen]], *, by: str, note: str = "", adopts: str | None = None
) -> None:
    """Append a line: from now on the files may begin with just this. An empty sequence forgets a file.

    ``adopts`` is the digest of the last audit's report where what is wrong with the chain is taken as it is.
    Raises StorageError, and WorkspaceLockedError while another process remembers.
    """
    try:
        with _held(root):
            memory = read_memory(root)
            row: dict[str, Any] = {
                "schema_version": _VERSION,
                "seq": len(memory.hashes) + 1,
                "prev_hash": memory.hashes[-1] if memory.hashes else None,
                "recorded_at": now_utc(),
                "actor": user_name(),
                "by": by,
                "note": visible(note, 1000),
                "adopts": adopts,
                "known": {
                    name: [
                        {"bytes": each.bytes, "sha256": each.sha256, "whole": each.whole} for each in several
                    ]
                    for name, several in known.items()
                },
            }
            row["hash"] = _hash_of(row)
            whole, torn = _lines(root)
            if torn:  # of a writer who did not live to say that it was written
                confined.truncate(root, paths.JOURNAL_MEMORY, sum(len(line) + 1 for line in whole))
            confined.append(root, paths.JOURNAL_MEMORY, json.dumps(row).encode() + b"\n")
    except OSError as error:
        raise storage_fault(error, root / paths.JOURNAL_MEMORY, NOTHING_DONE) from error


@contextlib.contextmanager
def _held(root: Path) -> Iterator[None]:
    try:
        held = lock.take(root, _LOCK, {"command": "journals"})
    except lock.LockHeldError as error:
        raise WorkspaceLockedError.of(
            "journals_held",
            f"What is known of the journals is being written by {error.holder.named()}.",
            NOTHING_DONE,
            "Give the command again.",
        ) from error
    try:
        yield
    finally:
        held.release()
