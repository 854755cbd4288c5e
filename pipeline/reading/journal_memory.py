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
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from pipeline.contracts import paths
from pipeline.contracts.faults import WorkspaceLockedError
from pipeline.contracts.moments import now_utc
from pipeline.contracts.untrusted import visible
from pipeline.platform import confined, disk, lock
from pipeline.platform.disk import storage_fault
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
_PIECE = 2**20
# Of older runs nobody draws a verdict.
_RUNS = 20
# The member of an audit's report that says where the chain ended.
IN_REPORT = "journal_memory"
_LOCK = paths.STATE / "journals.lock"
_NOTHING_DONE = "Nothing was changed; what was remembered of the journals stands."


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
    """``known`` has, by path, what a file may begin with; several while it is being replaced.

    ``hashes`` are those of the chain's lines, and ``problems`` what is wrong with the chain itself. ``head``
    is where it ends, for the report of an audit: where something is wrong, what the last report knew, so that
    it goes on being missed.
    """

    known: dict[str, tuple[Seen, ...]] = field(default_factory=dict)
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
    told = object_of(object_in(root / paths.AUDIT_DATA), IN_REPORT)
    if not report or report != _report_digest(root):
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


def _report_digest(root: Path) -> str:
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
        size, digest = _digest(file, None)
    return Seen(size, digest, whole)


def of_bytes(data: bytes, *, whole: bool = False) -> Seen:
    """What a file with just these bytes is seen as."""
    return Seen(len(data), hashlib.sha256(data).hexdigest(), whole)


def broken(root: Path, memory: Memory) -> dict[str, str]:
    """What is not as it was remembered, or cannot be read: by path, why."""
    found = {str(paths.JOURNAL_MEMORY): "; ".join(memory.problems)} if memory.problems else {}
    for name, allowed in memory.known.items():
        if allowed and _is_looked_at(root, name) and (why := _why_broken(root, name, allowed)):
            found[name] = why
    return found


def _is_looked_at(root: Path, name: str) -> bool:
    """A run's or an incident's folder that is gone as a whole is told elsewhere, or was tidied up."""
    path = Path(name)
    is_of_a_folder = path.parts[0] == "reports" and name != str(paths.AUDIT_DATA)
    return not is_of_a_folder or (root / path.parent).is_dir()


def _why_broken(root: Path, name: str, allowed: Sequence[Seen]) -> str:
    last = allowed[0]
    if NOTHING in allowed:
        return ""
    try:
        with confined.opened(root, name) as descriptor, open(descriptor, "rb", closefd=False) as file:
            sizes = set()
            for seen in allowed:
                file.seek(0)
                size, digest = _digest(file, seen.bytes)
                sizes.add(size)
                has_more = bool(file.read(1))
                if (size, digest) == (seen.bytes, seen.sha256) and not (seen.whole and has_more):
                    return ""
    except FileNotFoundError:
        return "" if _is_archived(root, name, last) else f"is gone; {last.bytes:,} bytes of it were read"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if _is_archived(root, name, last):
        return ""
    if max(sizes) < last.bytes:
        return f"was cut: {last.bytes:,} bytes of it were read, and {max(sizes):,} are there"
    return f"was changed: the first {last.bytes:,} bytes are not those that were read"


def _is_archived(root: Path, name: str, seen: Seen) -> bool:
    """Whether what was read of the replay log lies in an archive by now: rotated, by us or by hand."""
    log = root / paths.REPLAY_RUNS
    if name != str(paths.REPLAY_RUNS):
        return False
    for archive in sorted(log.parent.glob(f"{log.stem}.archive.*"), reverse=True):
        with contextlib.suppress(OSError, EOFError, zlib.error), disk.open_to_read(archive) as packed:
            file = cast("IO[bytes]", gzip.GzipFile(fileobj=packed)) if archive.suffix == ".gz" else packed
            if _digest(file, seen.bytes) == (seen.bytes, seen.sha256):
                return True
    return False


def _digest(file: IO[bytes], size: int | None) -> tuple[int, str]:
    """How many of the first ``size`` bytes there are (None: of all), and their SHA-256."""
    digest, taken = hashlib.sha256(), 0
    while piece := file.read(_PIECE if size is None else min(_PIECE, size - taken)):
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
        raise storage_fault(error, root / paths.JOURNAL_MEMORY, _NOTHING_DONE) from error


@contextlib.contextmanager
def _held(root: Path) -> Iterator[None]:
    try:
        held = lock.take(root, _LOCK, {"command": "journals"})
    except lock.LockHeldError as error:
        raise WorkspaceLockedError.of(
            "journals_held",
            f"What is known of the journals is being written by {error.holder.named()}.",
            _NOTHING_DONE,
            "Give the command again.",
        ) from error
    try:
        yield
    finally:
        held.release()


def before_replaced(root: Path, after: Mapping[str, Seen | None], *, by: str) -> None:
    """A plan is about to put files to ``after`` (None: away): what is remembered of them may be either.

    Nothing is written where none of them is known. Raises StorageError, WorkspaceLockedError.
    """
    try:
        memory = read_memory(root)
    except OSError as error:
        raise storage_fault(error, root / paths.JOURNAL_MEMORY, _NOTHING_DONE, doing="read") from error
    renewed: dict[str, Sequence[Seen]] = {}
    for name, state in after.items():
        if known := memory.known.get(name):
            new = NOTHING if state is None else Seen(state.bytes, state.sha256, known[0].whole)
            renewed[name] = (new, *(each for each in known if each != new))
    if renewed:
        remember(root, renewed, by=by)


def adopt(root: Path, note: str) -> dict[str, str]:
    """Take what is broken as it is now, for ``note``; returns what was, by path. Raises StorageError."""
    try:
        memory = read_memory(root)
        found = broken(root, memory)
        kinds = guarded(root)
        renewed: dict[str, Sequence[Seen]] = {
            name: (see(root, name, whole=kinds.get(name, name == str(paths.AUDIT_DATA))),)
            if (root / name).is_file()
            else ()
            for name in found
            if name != str(paths.JOURNAL_MEMORY)
        }
    except OSError as error:
        raise storage_fault(error, root / paths.JOURNAL_MEMORY, _NOTHING_DONE, doing="read") from error
    if found:
        remember(root, renewed, by="baseline adopt", note=note, adopts=_report_digest(root))
    return found
