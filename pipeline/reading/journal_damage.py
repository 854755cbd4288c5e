"""Journals that are not as audits read them: why, from which line on, and taking them as they are."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from pipeline.contracts import paths
from pipeline.platform import confined, disk
from pipeline.platform.disk_faults import storage_fault
from pipeline.reading.journal_memory import (
    NOTHING,
    NOTHING_DONE,
    PIECE,
    Memory,
    Seen,
    digest_of,
    guarded,
    read_memory,
    remember,
    report_digest,
    see,
)


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
                size, digest = digest_of(file, seen.bytes)
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


def line_of_damage(root: Path, name: str, memory: Memory) -> int | None:
    """The line at which a broken journal ends or from which on it may differ; None for one that is no lines.

    Of a journal with its whole length that is the line after the longest beginning that an audit read once
    and that is still there. Raises OSError for what cannot be read, and nothing for what is gone.
    """
    known = memory.known.get(name, ())
    if not known or known[0].whole or Path(name).suffix != ".jsonl":
        return None
    read, lines, whole = hashlib.sha256(), 0, 0
    sound = 0
    try:
        with confined.opened(root, name) as descriptor, open(descriptor, "rb", closefd=False) as file:
            for seen in sorted({(each.bytes, each.sha256) for each in memory.earlier[name]}):
                while whole < seen[0] and (piece := file.read(min(PIECE, seen[0] - whole))):
                    read.update(piece)
                    whole, lines = whole + len(piece), lines + piece.count(b"\n")
                if whole < seen[0]:
                    return lines + 1
                if read.hexdigest() == seen[1]:
                    sound = lines
    except FileNotFoundError:
        return None
    return sound + 1


def _is_archived(root: Path, name: str, seen: Seen) -> bool:
    """Whether what was read of the replay log lies in an archive by now: rotated, by us or by hand."""
    log = root / paths.REPLAY_RUNS
    if name != str(paths.REPLAY_RUNS):
        return False
    for archive in sorted(log.parent.glob(f"{log.stem}.archive.*"), reverse=True):
        with contextlib.suppress(OSError, EOFError, zlib.error), disk.open_to_read(archive) as packed:
            file = cast("IO[bytes]", gzip.GzipFile(fileobj=packed)) if archive.suffix == ".gz" else packed
            if digest_of(file, seen.bytes) == (seen.bytes, seen.sha256):
                return True
    return False


def begins_as_read(data: bytes, known: Iterable[Seen]) -> bool:
    """Whether a journal of these bytes begins as it was remembered."""
    return any(
        hashlib.sha256(data[: seen.bytes]).hexdigest() == seen.sha256
        and len(data) >= seen.bytes
        and not (seen.whole and len(data) > seen.bytes)
        for seen in known
    )


def before_replaced(
    root: Path,
    after: Mapping[str, Seen | None],
    *,
    by: str,
    data: bytes | None = None,
    was_broken: Callable[[str, str | None], bool] = lambda _name, _sha256: False,
) -> list[str]:
    """A plan is about to put files to ``after`` (None: away): what is remembered of them may be either.

    Returns those of them that are broken before it. ``data`` is the new content where it is known: one that
    begins as it was read needs no memory of its own. ``was_broken`` tells of a path and a digest (None: away)
    that a plan only goes back to what an audit missed; it is missed again afterwards. Nothing is written
    where none of them is known. Raises StorageError, WorkspaceLockedError.
    """
    found: list[str] = []
    renewed: dict[str, Sequence[Seen]] = {}
    try:
        memory = read_memory(root)
        for name, state in after.items():
            known = memory.known.get(name)
            if not known:
                continue
            if _why_broken(root, name, known):
                found.append(name)
            new = NOTHING if state is None else Seen(state.bytes, state.sha256, known[0].whole)
            is_as_read = data is not None and begins_as_read(data, known)
            if not is_as_read and not was_broken(name, None if state is None else state.sha256):
                renewed[name] = (new, *(each for each in known if each != new))
    except OSError as error:
        raise storage_fault(error, root / paths.JOURNAL_MEMORY, NOTHING_DONE, doing="read") from error
    if renewed:
        remember(root, renewed, by=by)
    return found


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
        raise storage_fault(error, root / paths.JOURNAL_MEMORY, NOTHING_DONE, doing="read") from error
    if found:
        remember(root, renewed, by="baseline adopt", note=note, adopts=report_digest(root))
    return found
