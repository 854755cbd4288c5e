"""The control lease: of all consoles on a workspace, the one that may change something.

Two files below ``.distill``. ``consoles/<pid>-….json`` says that a console is here, and
``console-lease`` who may change something; each is held with ``flock``, so the kernel takes it
back when its console ends, however it ends. A lease that somebody holds is taken over by putting
a new file in its place: who held the old one sees that it is no longer the one, and is read-only.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from console.state.view_state import OtherConsole
from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.contracts.moments import iso_utc
from pipeline.platform import confined, disk
from pipeline.platform.identity import host_name
from pipeline.platform.lock import Holder, Lock, LockHeldError, holder_of, put_in_place, take

LEASE = paths.STATE / "console-lease"
CONSOLES = paths.STATE / "consoles"
JOURNAL = PurePosixPath("reports/console/lease.jsonl")
TAKE_OVER_WORD = "take"


class ControlLease:
    """One console's view of the lease, and its own presence. ``clock`` is seconds since the epoch."""

    def __init__(self, root: Path, actor: str, *, clock: Callable[[], float] = time.time) -> None:
        self._root = root
        self._actor = actor
        self._clock = clock
        self._since = clock()
        self._presence: tuple[Lock, PurePosixPath] | None = None
        self._held: Lock | None = None

    # Presence

    def enter(self) -> None:
        """Say that this console is here. Where that cannot be written, others do not see it."""
        place = CONSOLES / f"{os.getpid()}-{disk.random_part()}.json"
        with contextlib.suppress(OSError):
            # Others remove what nobody holds: it gets its name when it is locked.
            self._presence = (put_in_place(self._root, place, self._words()), place)

    def leave(self) -> None:
        """Give everything back; a console that is killed has the kernel do it."""
        self.release()
        if self._presence is not None:
            lock, place = self._presence
            self._presence = None
            with contextlib.suppress(OSError):
                confined.remove(self._root, place)
            lock.release()

    def others(self) -> tuple[OtherConsole, ...]:
        """The other consoles here, those that came first first. What a dead one left is removed."""
        found = []
        for place in self._presence_files():
            said = _holder_of(self._root, place)
            if said is None:
                with contextlib.suppress(OSError):
                    confined.remove(self._root, place)
                continue
            found.append(OtherConsole(said.user, said.host, said.since_seconds))
        return tuple(sorted(found, key=lambda other: other.since or 0.0))

    def _presence_files(self) -> list[PurePosixPath]:
        own = self._presence[1] if self._presence is not None else None
        try:
            names = sorted(path.name for path in (self._root / CONSOLES).glob("*-*.json"))
        except OSError:
            return []
        return [CONSOLES / name for name in names if CONSOLES / name != own]

    # The lease

    def holder(self) -> Holder | None:
        """Who holds the lease now, this console too; None when nobody does."""
        return _holder_of(self._root, LEASE)

    def acquire(self) -> Holder | None:
        """Take the lease if it is free: None then, else who holds it. Raises StorageError."""
        if self.is_ours():
            return None
        try:
            lock = take(self._root, LEASE, self._words())
        except LockHeldError as error:
            return error.holder
        except OSError as error:
            raise _refused(error) from error
        if not lock.is_at(self._root, LEASE):
            lock.release()  # somebody put a new one in its place in this moment
            return self.holder() or Holder()
        self._held = lock
        return None

    def take_over(self, reason: str) -> None:
        """Hold the lease from now on, whoever held it; written into the journal first.

        Raises StorageError when the journal or the lease cannot be written: then nothing changed.
        """
        self._write_journal(self.holder(), reason)
        try:
            lock = put_in_place(self._root, LEASE, self._words())
        except OSError as error:
            raise _refused(error) from error
        self.release()
        self._held = lock

    def is_ours(self) -> bool:
        """Whether the lease that lies there is still the one that this console holds."""
        if self._held is not None and not self._held.is_at(self._root, LEASE):
            self.release()
        return self._held is not None

    def release(self) -> None:
        if self._held is not None:
            self._held.release()
            self._held = None

    def _words(self) -> dict[str, str]:
        return {"user": self._actor, "command": "console", "since": iso_utc(self._since) or ""}

    def _write_journal(self, before: Holder | None, reason: str) -> None:
        taken_from = before and {"user": before.user, "host": before.host, "pid": before.pid}
        entry: dict[str, object] = {
            "schema_version": 1,
            "at": iso_utc(self._clock()),
            "what": "control lease taken over",
            "by": {"user": self._actor, "host": host_name(), "pid": os.getpid()},
            "from": taken_from,
            "reason": reason,
        }
        try:
            confined.append(self._root, JOURNAL, json.dumps(entry).encode() + b"\n")
        except OSError as error:
            raise _refused(error) from error


def _holder_of(root: Path, place: PurePosixPath) -> Holder | None:
    """Who holds it; somebody without a name where that cannot be told."""
    try:
        return holder_of(root, place)
    except OSError:
        return Holder()


def _refused(error: OSError) -> StorageError:
    return StorageError.of(
        "console_lease_refused",
        f"The control lease could not be written: {error.strerror}.",
        "This console is read-only; nothing was changed.",
        "Make room or give permission in .distill and reports/console, then arm again.",
    )
