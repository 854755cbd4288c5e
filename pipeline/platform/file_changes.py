"""Wait until files change: by events where they arrive, by looking again and again where they do not.

``FileChanges`` only says that something may have changed; what, the caller sees by looking. Events come
from watchfiles, which is imported when somebody waits for the first time. Network file systems, used-up
limits of inotify and a missing module leave the poll, and so do events that turn out not to be told:
a caller that finds a change by itself reports it with ``found``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

POLL_SECONDS = 0.1
# An event is told after one to two steps, so a flood of them wakes nobody more often than that. Of an
# alarm this is the longer half; steps of 80 ms cost an eighth of a percent of a core less.
STEP_SECONDS = 0.03
RETRY_SECONDS = 60.0
LATE_SECONDS = 0.5
_MOST_PATHS = 1024
# Changes that other machines make are not told, or nothing is.
_REMOTE = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fhgfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs",
    "nfs4", "panfs", "prl_fs", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
})  # fmt: skip


class Stop(Protocol):
    """What ends a wait early; a ``threading.Event`` is one."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> bool: ...


class FileChanges:
    """``paths`` are files and folders, not what lies deeper; of a missing one its nearest folder is watched.

    They are asked for before each wait, so that a folder that is removed and made again, or a file that
    is replaced, is followed. One thread waits; another may set ``stop``.
    """

    def __init__(
        self,
        paths: Callable[[], Iterable[Path]],
        *,
        poll_seconds: float = POLL_SECONDS,
        step_seconds: float = STEP_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._paths = paths
        self._poll_seconds = poll_seconds
        self._step_ms = round(step_seconds * 1000)
        self._clock = clock
        self._notify: RustNotify | None = None
        self._watched: dict[str, tuple[int, int]] | None = None
        self._retry_at = float("inf")
        self._is_mistrusted = False
        self._is_doubted = False
        self.why_polling = ""
        """Why events are not waited for; empty while they are, and before the first wait."""

    def wait(self, seconds: float, stop: Stop) -> bool:
        """Whether something may have changed; False when ``seconds`` are over or ``stop`` is set."""
        if self._watch_again():
            return not stop.is_set()  # what happened before went unseen
        if self._notify is None:
            return not stop.wait(min(seconds, self._poll_seconds))
        doubted, self._is_doubted = self._is_doubted, False
        limit = min(seconds, LATE_SECONDS) if doubted else seconds
        try:
            found = self._notify.watch(2 * self._step_ms, self._step_ms, max(1, round(limit * 1000)), stop)
        except RuntimeError as error:
            self._poll(f"file events stopped: {error}")
            return not stop.is_set()
        if doubted and found == "timeout":
            self._is_mistrusted = True
            self._poll("a change was missed")
        return isinstance(found, set)

    def found(self) -> None:
        """A look that no event asked for found a change. Unless its event is merely late, none is to come."""
        self._is_doubted = self._notify is not None

    def close(self) -> None:
        if self._notify is not None:
            self._notify.close()
            self._notify = None

    def _watch_again(self) -> bool:
        """Watch what is there now; True when that is something else than before."""
        if self._is_mistrusted:
            return False
        wanted = _identities(self._paths())
        if wanted == self._watched and self._clock() < self._retry_at:
            return False
        is_new, self._watched = wanted != self._watched, wanted
        self.close()
        why = _remote(wanted) or ("there is too much to watch" if len(wanted) > _MOST_PATHS else "")
        if why or not wanted:
            self._poll(why or "there is nothing to watch")
            return is_new
        try:
            from watchfiles._rust_notify import RustNotify

            self._notify = RustNotify(list(wanted), False, False, 0, False, False)
        except ImportError as error:
            self._poll(f"watchfiles cannot be imported: {error}")
        except (OSError, RuntimeError) as error:
            # Limits of inotify are used up, or a folder went in between: both may be over in a while.
            self._poll(f"file events are not available: {error}")
            self._retry_at = self._clock() + RETRY_SECONDS
        else:
            self.why_polling, self._retry_at = "", float("inf")
        return is_new

    def _poll(self, why: str) -> None:
        self.close()
        self.why_polling, self._retry_at = why, float("inf")


def _identities(paths: Iterable[Path]) -> dict[str, tuple[int, int]]:
    """Device and inode of each path, or of the nearest folder above it that is there."""
    found: dict[str, tuple[int, int]] = {}
    for path in paths:
        for place in (path, *path.parents):
            try:
                seen = os.stat(place)  # noqa: PTH116 (text in, text out: no object a look)
            except OSError:
                continue
            found[str(place)] = (seen.st_dev, seen.st_ino)
            break
        if len(found) > _MOST_PATHS:
            break
    return found


def _remote(paths: Iterable[str]) -> str:
    """Which of the paths lies where events do not arrive; empty when none does, or nobody can tell."""
    kinds = _mounts()
    for path in paths:
        real = os.path.realpath(path)
        at = max((mount for mount in kinds if _is_below(real, mount)), key=len, default="")
        kind = kinds.get(at, "")
        if kind in _REMOTE or kind.startswith("fuse"):
            return f"{at} is {kind}, whose changes are not told"
    return ""


def _is_below(path: str, mount: str) -> bool:
    return path == mount or path.startswith(mount.rstrip("/") + "/")


def _mounts() -> dict[str, str]:
    """The kind of file system at each mount point, where the kernel tells (Linux)."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        left, _, right = line.partition(" - ")
        if len(left.split()) > 4 and right.split():
            found[left.split()[4].replace("\\040", " ")] = right.split()[0]
    return found
