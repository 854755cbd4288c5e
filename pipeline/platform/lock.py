"""One lock for everything that only one may do: ``flock``, and who holds it in the locked file.

Whether a lock is held is told by the kernel, which takes it back when its process ends, however
it ends; the words in the file only name the holder, and are read only while the lock is held.
Workers do not inherit it: the descriptor is closed on exec, and a fork closes its copy.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import WorkspaceLockedError
from pipeline.contracts.moments import epoch_seconds, now_utc
from pipeline.contracts.untrusted import visible
from pipeline.platform import confined, disk, disk_faults
from pipeline.platform.identity import who_acts

_ATTEMPTS = 25
_ATTEMPT_SECONDS = 0.02
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, in its own words: empty where it has not written them yet.

    ``since`` is UTC, ``2026-04-27T06:00:00Z``; ``pid`` is None where the words name none.
    """

    user: str = ""
    host: str = ""
    pid: int | None = None
    command: str = ""
    pipeline_run_id: str = ""
    since: str = ""
    argv: tuple[str, ...] = ()

    def named(self, what: str = "somebody") -> str:
        """``run-all (pid 4711, maria on nightbox)``; ``what`` stands for a command not told."""
        pid = "?" if self.pid is None else self.pid
        return visible(f"{self.command or what} (pid {pid}, {self.user or '?'} on {self.host or '?'})", 300)

    @property
    def since_seconds(self) -> float | None:
        return epoch_seconds(self.since)

    @property
    def since_words(self) -> str:
        return visible(self.since, 40) or "an unknown time"


class LockHeldError(Exception):
    """Another process holds the lock."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(holder.named())
        self.holder = holder


class Lock:
    """A held lock. Leaving its ``with`` block, or the end of the process, gives it back."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def forget(self) -> None:
        """Close this process's copy; in a fork, the lock lives on in the process that took it."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)

    release = forget

    def describe(self, words: Mapping[str, Any]) -> None:
        """Name this process in the locked file, for people who find it held. Raises OSError."""
        me = who_acts()
        said = {
            "pid": me.pid,
            "host": me.host,
            "user": me.user,
            "command": "",
            "pipeline_run_id": "",
            "since": now_utc(),
            "argv": [],
            **words,
        }
        disk.operations.truncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        try:
            disk.write_all(self._descriptor, json.dumps(said).encode() + b"\n")
        except OSError:
            with contextlib.suppress(OSError):
                disk.operations.truncate(self._descriptor, 0)
            raise

    def is_at(self, root: Path, relative: PurePath) -> bool:
        """Whether the file that lies there is the locked one: another may have been put in its place."""
        try:
            there = (root / relative).stat(follow_symlinks=False)
        except OSError:
            return False
        mine = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


def take(root: Path, relative: PurePath, words: Mapping[str, Any], *, shared: bool = False) -> Lock:
    """Take the lock and name this process in it. Raises LockHeldError at once, OSError.

    ``words`` go into the file beside user, host, pid and time: ``command``, ``argv`` and so on.
    """
    with confined.folder_of(root, relative, make=[]) as (folder, name):
        flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(name, flags, disk.FILE_MODE, dir_fd=folder)
        except OSError as error:
            raise confined.told(error, root / relative) from error
    lock = Lock(descriptor)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise disk_faults.NotPlainError(str(root / relative), "no plain file")
        _take(descriptor, shared=shared)
        lock.describe(words)
    except BaseException:
        lock.release()
        raise
    return lock


def _take(descriptor: int, *, shared: bool) -> None:
    """Whoever asks who holds a lock holds it shared for an instant: that refusal is no answer yet."""
    wanted = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, wanted | fcntl.LOCK_NB)
            return
        if _is_held_alone(descriptor):
            break
        time.sleep(_ATTEMPT_SECONDS)
    raise LockHeldError(_words(descriptor))


def _is_held_alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def put_in_place(root: Path, relative: PurePath, words: Mapping[str, Any]) -> Lock:
    """Put a new file, locked and named, where ``relative`` is, whoever holds the one before.

    Nobody sees it unlocked or without its words. Raises OSError; the one before then stays.
    """
    with confined.folder_of(root, relative, make=[]) as (folder, name):
        newer = f".{name}.{disk.random_part()}.new"  # not ``.tmp``: a run clears those away
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = Lock(descriptor := os.open(newer, flags, disk.FILE_MODE, dir_fd=folder))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.describe(words)
            disk.operations.replace(newer, name, source_in=folder, target_in=folder)
        except BaseException:
            with contextlib.suppress(OSError):
                disk.operations.unlink(newer, inside=folder)
            lock.release()
            raise
    return lock


def holder_of(root: Path, relative: PurePath) -> Holder | None:
    """Who holds the lock now; None when nobody does, or when there is none.

    The lock is asked for shared and given back at once, so that a reader keeps nobody waiting.
    Raises OSError when it cannot be told.
    """
    try:
        with confined.opened(root, relative) as descriptor:
            return _words(descriptor) if _is_held_alone(descriptor) else None
    except (FileNotFoundError, disk_faults.NotPlainError):
        return None


def last_holder(root: Path, relative: PurePath) -> Holder | None:
    """Who took the lock last, held or not, for one who may not ask the kernel: on another machine.

    None where there is no lock. Raises OSError when it cannot be read.
    """
    try:
        with confined.opened(root, relative) as descriptor:
            return _words(descriptor)
    except (FileNotFoundError, disk_faults.NotPlainError):
        return None


def is_held(root: Path) -> bool:
    """Whether a live process holds the workspace; a lock that cannot be looked at counts as held."""
    try:
        return holder_of(root, paths.LOCK) is not None
    except OSError:
        return True


def _words(descriptor: int) -> Holder:
    try:
        said = json.loads(os.pread(descriptor, _MOST_BYTES, 0))
    except (ValueError, RecursionError):
        said = None  # held, by somebody whose words cannot be read
    if not isinstance(said, dict):
        return Holder()
    texts = {
        name: said[name]
        for name in ("user", "host", "command", "pipeline_run_id", "since")
        if isinstance(said.get(name), str)
    }
    pid, argv = said.get("pid"), said.get("argv")
    return Holder(
        **texts,
        pid=pid if type(pid) is int and 0 < pid < 2**31 else None,
        argv=tuple(map(str, argv)) if isinstance(argv, list) else (),
    )


@contextlib.contextmanager
def hold_workspace(
    root: Path,
    *,
    command: str,
    pipeline_run_id: str = "",
    argv: Sequence[str] = (),
    shared: bool = False,
    do_next: str = "Wait for it, or watch it: distill console",
) -> Iterator[Lock]:
    """Hold the workspace for the block: one run at a time; ``shared`` keeps runs out alone.

    Raises WorkspaceLockedError, naming the holder, and StorageError.
    """
    words = {"command": command, "pipeline_run_id": pipeline_run_id, "argv": list(argv)}
    try:
        lock = take(root, paths.LOCK, words, shared=shared)
    except LockHeldError as error:
        who, since = error.holder.named("a run"), error.holder.since_words
        raise WorkspaceLockedError.of(
            code="workspace_locked",
            what_happened=f"The workspace is held by {who} since {since}.",
            kept_safe="Nothing was changed; that run goes on.",
            do_next=do_next,
            file=str(root / paths.LOCK),
        ) from error
    except OSError as error:
        raise disk_faults.storage_fault(error, root / paths.LOCK, "Nothing was changed.") from error
    try:
        yield lock
    finally:
        lock.release()
