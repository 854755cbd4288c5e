"""The control lease: of all consoles on a workspace, the one that may change something.

Two files below ``.distill``. ``consoles/<pid>-….json`` says that a console is here, and
``console-lease`` who may change something; each is held with ``flock``, so the kernel takes it
back when its console ends, however it ends. A lease that somebody holds is taken over by putting
a new file in its place: who held the old one sees that it is no longer the one, and is read-only.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.reading.private_folder import private_folder
from console.state.view_state import OtherConsole
from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, StorageError
from pipeline.contracts.status import epoch_seconds, iso_utc
from pipeline.reading.report_files import count_of, text_of

LEASE = paths.STATE / "console-lease"
CONSOLES = paths.STATE / "consoles"
JOURNAL = Path("reports/console/lease.jsonl")
TAKE_OVER_WORD = "take"
_MAX_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lease; ``user`` is empty while a holder has not written its name yet."""

    user: str = ""
    host: str = ""
    pid: int | None = None
    since: float | None = None


class ControlLease:
    """One console's view of the lease, and its own presence. ``clock`` is seconds since the epoch."""

    def __init__(self, root: Path, actor: str, *, clock: Callable[[], float] = time.time) -> None:
        self._root = root
        self._actor = actor
        self._clock = clock
        self._since = clock()
        self._presence: tuple[int, Path] | None = None
        self._held: int | None = None

    # Presence

    def enter(self) -> None:
        """Say that this console is here. Where that cannot be written, others do not see it."""
        folder = self._root / CONSOLES
        path = folder / f"{os.getpid()}-{secrets.token_hex(3)}.json"
        with contextlib.suppress(OSError):
            private_folder(self._root, CONSOLES)
            # Named only when it is locked: others remove what nobody holds.
            unnamed = path.with_suffix(".new")
            descriptor = self._locked_file(unnamed)
            self._presence = (descriptor, unnamed.rename(path))

    def leave(self) -> None:
        """Give everything back; a console that is killed has the kernel do it."""
        self.release()
        if self._presence is not None:
            descriptor, path = self._presence
            self._presence = None
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(descriptor)

    def others(self) -> tuple[OtherConsole, ...]:
        """The other consoles here, those that came first first. What a dead one left is removed."""
        holder = self.holder()
        found = []
        for path in self._presence_files():
            said = _read_if_held(path)
            if said is None:
                with contextlib.suppress(OSError):
                    path.unlink()
                continue
            holds = holder is not None and (said.pid, said.host) == (holder.pid, holder.host)
            found.append(OtherConsole(said.user, said.host, said.since, holds_lease=holds))
        return tuple(sorted(found, key=lambda other: other.since or 0.0))

    def _presence_files(self) -> list[Path]:
        own = self._presence[1] if self._presence is not None else None
        try:
            found = sorted((self._root / CONSOLES).glob("*-*.json"))
        except OSError:
            return []
        return [path for path in found if path != own]

    # The lease

    def holder(self) -> Holder | None:
        """Who holds the lease now, this console too; None when nobody does."""
        return _read_if_held(self._root / LEASE)

    def acquire(self) -> Holder | None:
        """Take the lease if it is free: None then, else who holds it. Raises StorageError."""
        if self.is_ours():
            return None
        path = self._root / LEASE
        try:
            private_folder(self._root, LEASE.parent)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise _refused(error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return self.holder() or Holder()
        if os.fstat(descriptor).st_ino != _inode(path):
            os.close(descriptor)  # somebody put a new one in its place in this moment
            return self.holder() or Holder()
        self._held = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, self._words(), 0)
        return None

    def take_over(self, reason: str) -> None:
        """Hold the lease from now on, whoever held it; written into the journal first.

        Raises StorageError when the journal or the lease cannot be written: then nothing changed.
        """
        self._write_journal(self.holder(), reason)
        path = self._root / LEASE
        newer = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(3)}")
        try:
            descriptor = self._locked_file(newer)
            newer.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                newer.unlink()
            raise _refused(error) from error
        self.release()
        self._held = descriptor

    def is_ours(self) -> bool:
        """Whether the lease that lies there is still the one that this console holds."""
        if self._held is None:
            return False
        if os.fstat(self._held).st_ino == _inode(self._root / LEASE):
            return True
        self.release()
        return False

    def release(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _locked_file(self, path: Path) -> int:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.pwrite(descriptor, self._words(), 0)
        return descriptor

    def _words(self) -> bytes:
        said = {"pid": os.getpid(), "host": socket.gethostname(), "user": self._actor}
        return json.dumps({**said, "since": iso_utc(self._since)}).encode() + b"\n"

    def _write_journal(self, before: Holder | None, reason: str) -> None:
        taken_from = None if before is None else {"user": before.user, "host": before.host, "pid": before.pid}
        entry = {
            "schema_version": 1,
            "at": iso_utc(self._clock()),
            "what": "control lease taken over",
            "by": {"user": self._actor, "host": socket.gethostname(), "pid": os.getpid()},
            "from": taken_from,
            "reason": reason,
        }
        path = self._root / JOURNAL
        try:
            private_folder(self._root, JOURNAL.parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(path, flags, 0o600)
            try:
                os.write(descriptor, json.dumps(entry).encode() + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _refused(error) from error


def _read_if_held(path: Path) -> Holder | None:
    """What a held file says; None when nobody holds it or it is not there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            said = json.loads(os.pread(descriptor, _MAX_BYTES, 0) or b"{}")
        else:
            return None
    except (OSError, ValueError, RecursionError):
        return Holder()  # held, by somebody whose words cannot be read
    finally:
        os.close(descriptor)
    if not isinstance(said, dict):
        return Holder()
    since = epoch_seconds(said.get("since"))
    return Holder(text_of(said, "user") or "", text_of(said, "host") or "", count_of(said, "pid"), since)


def _inode(path: Path) -> int | None:
    try:
        return path.stat(follow_symlinks=False).st_ino
    except OSError:
        return None


def _refused(error: OSError) -> StorageError:
    return StorageError(
        Fault(
            "console_lease_refused",
            f"The control lease could not be written: {error.strerror}.",
            "This console is read-only; nothing was changed.",
            "Make room or give permission in .distill and reports/console, then arm again.",
        )
    )
