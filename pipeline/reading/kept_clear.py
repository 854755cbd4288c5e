"""The firewall's answer: what it called CLEAR when asked last holds for as long as nothing was touched.

A look reads exports, evidence, verdicts, evaluation sets and the receipts of quarantine files whole, which
takes seconds where they are large. Of each of these, and of each folder above them, it is kept what it was
when the look began (device, inode, mode, size, time of writing, time of change), as one digest. While that
is the same, and the firewall's code is, the answer holds, for an hour.

What may have been written to within one tick of the clock that stamps files is never kept: a later write
would leave no trace. Nor is what a link leads to, what is being committed, or any answer but CLEAR. Whoever
may write here as this user could forge it: what decides on data (a run, the audit, ``--batch``, an export)
asks the firewall itself.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import stat
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.platform import disk
from pipeline.platform.firewall import Answer, Clear, ask_firewall, firewall_digest, judged_report
from pipeline.platform.lenient_json import number_of, object_of, objects_of, text_of
from pipeline.platform.temporary import file_without_name
from pipeline.reading.report_files import Notes
from pipeline.reading.settings_glance import read_settings

HOLDS_SECONDS = 3600.0
_VERSION = 1
_MOST_BYTES = 2**20
# Past these a look at each takes longer than is spared.
_MOST_FILES = 20_000
_OTHER_DISK_NANOSECONDS = 2_000_000_000
_WALKED = (paths.EXPORTS, paths.EVIDENCE, paths.SCORED_RUNS)


class Heard(NamedTuple):
    """``looked_at`` is when the firewall read the files; of what was kept, when it began to."""

    answer: Answer
    looked_at: float


class _Untold(Exception):  # noqa: N818 - no error: the firewall is asked
    """Something cannot be told by its stamps."""


class Look:
    """One look of the firewall, begun at files as they are now. ``keep`` its answer when it has come."""

    def __init__(self, root: Path, tick: os.stat_result | None, now: float) -> None:
        self._root, self._tick, self._begun = root, tick, now
        self._before = None if tick is None else _digest(root, tick)

    def keep(self, answer: Answer) -> None:
        """Keep a CLEAR of files that nobody touched since. A disk that refuses costs the next look time."""
        if self._tick is None or self._before is None:
            return
        if not isinstance(answer, Clear) or _digest(self._root, self._tick) != self._before:
            disk.discard(self._root / paths.KEPT_CLEAR)
            return
        kept = {
            "version": _VERSION,
            "firewall": firewall_digest(),
            "files": self._before,
            "looked_at": self._begun,
            "said": dict(answer.report.said),
        }
        data = json.dumps(kept).encode()
        if len(data) <= _MOST_BYTES:
            with (
                contextlib.suppress(OSError),
                disk.replacing(self._root / paths.KEPT_CLEAR, durable=False) as descriptor,
            ):
                disk.write_all(descriptor, data)


def look_begins(root: Path) -> Look:
    """To be called before the firewall is started. Raises nothing."""
    return Look(root, _tick_of(root), time.time())


def heard(root: Path, limit_seconds: float | None = None, *, from_kept: bool = False) -> Heard:
    """What the firewall says within ``limit_seconds``; ``from_kept``: a CLEAR that still holds will do."""
    kept = kept_clear(root, time.time()) if from_kept else None
    if kept is not None:
        return kept
    look = look_begins(root)
    answer = ask_firewall(root, limit_seconds=limit_seconds)
    look.keep(answer)
    return Heard(answer, time.time())


def kept_clear(root: Path, now: float) -> Heard | None:
    """The CLEAR that still holds ``now``; None when the firewall has to be asked. Raises nothing."""
    kept = _load(root / paths.KEPT_CLEAR)
    looked_at = number_of(kept, "looked_at")
    if looked_at is None or not 0 <= now - looked_at <= HOLDS_SECONDS:
        return None
    if kept.get("version") != _VERSION or text_of(kept, "firewall") != (firewall_digest() or None):
        return None
    answer = judged_report(0, object_of(kept, "said"))
    if not isinstance(answer, Clear) or text_of(kept, "files") != _digest(root, None):
        return None
    return Heard(answer, looked_at)


def _load(path: Path) -> dict[str, Any]:
    """What stands there: written by this user, and by no other."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            seen = os.fstat(descriptor)
            if not stat.S_ISREG(seen.st_mode) or seen.st_uid != os.geteuid() or seen.st_mode & 0o022:
                return {}
            value = json.loads(file.read(_MOST_BYTES + 1))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _tick_of(root: Path) -> os.stat_result | None:
    """How a file would be stamped that is written now, on the disk of the workspace. It has no name: a kill
    leaves none behind."""
    try:
        with file_without_name(root / paths.STATE) as file:
            return os.fstat(file.fileno())
    except (OSError, StorageError):
        return None


def _digest(root: Path, tick: os.stat_result | None) -> str | None:
    """Of all that a look reads, by its stamps; None when that cannot be told.

    With ``tick`` each must have been changed before it.
    """
    hasher, count = sha256(), 0
    try:
        for relative, seen in _everything(root):
            count += 1
            if count > _MOST_FILES or (tick is not None and not _is_before(seen, tick)):
                return None
            stamps = (
                seen.st_dev,
                seen.st_ino,
                seen.st_mode,
                seen.st_size,
                seen.st_mtime_ns,
                seen.st_ctime_ns,
            )
            hasher.update(f"{relative}\0{stamps}\n".encode("utf-8", "surrogateescape"))
    except (OSError, ValueError, _Untold):
        return None
    return hasher.hexdigest()


def _is_before(seen: os.stat_result, tick: os.stat_result) -> bool:
    slack = 0 if seen.st_dev == tick.st_dev else _OTHER_DISK_NANOSECONDS
    return seen.st_ctime_ns < tick.st_ctime_ns - slack


def _everything(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Each file and folder that a look reads, in one order. Raises _Untold and OSError."""
    if os.path.lexists(root / paths.INTENT):
        raise _Untold
    for folder in _WALKED:
        yield from _below(f"{root}/{folder}", str(folder))
    yield from _seen(f"{root}/{paths.SETTINGS}", str(paths.SETTINGS))
    for pattern in _sets(root):
        for relative in sorted(glob.glob(pattern, root_dir=root, recursive=True)):  # noqa: PTH207 - as the firewall
            yield from _seen(os.path.join(root, relative), relative)  # noqa: PTH118 - it may begin with a slash
    for run in sorted(os.listdir(root / paths.REPORTS)) if (root / paths.REPORTS).is_dir() else ():  # noqa: PTH208 - names alone
        receipt = paths.receipts_folder(run) / "export.json"
        yield from _seen(f"{root}/{receipt}", str(receipt))


def _below(place: str, relative: str) -> Iterator[tuple[str, os.stat_result]]:
    yield from _seen(place, relative)
    if not Path(place).is_dir():
        return
    with os.scandir(place) as entries:
        found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    for name, is_folder in found:
        look = _below if is_folder else _seen
        yield from look(f"{place}/{name}", f"{relative}/{name}")


def _seen(place: str, relative: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        seen = os.lstat(place)
    except (FileNotFoundError, NotADirectoryError):
        return
    if not (stat.S_ISREG(seen.st_mode) or stat.S_ISDIR(seen.st_mode)):
        raise _Untold
    yield relative, seen


def _sets(root: Path) -> list[str]:
    """The globs of all declared evaluation sets."""
    settings = read_settings(root, Notes())
    if settings.trouble:
        raise _Untold
    declared = settings.document.get("evaluation", [])
    found: list[str] = []
    for one in objects_of(settings.document, "evaluation"):
        patterns = one.get("path")
        found += [patterns] if isinstance(patterns, str) else map(str, patterns or ())
    if not isinstance(declared, list) or len(declared) != len(objects_of(settings.document, "evaluation")):
        raise _Untold
    return found
