"""What a disk refused, as errors, and as what an operator is told of them."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.contracts.faults import Fault, StorageError
from pipeline.contracts.untrusted import visible


class NotPlainError(OSError):
    """A link, or something that is no plain file or folder, stands where ``place`` leads."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(errno.ELOOP, f"it is {what}", place)
        self.place = place
        self.what = what


class UnreadableError(OSError):
    """What had to be read could not be; ``filename`` names it."""


class TooLargeError(UnreadableError):
    """A file that is read as a whole is larger than any that this product writes."""


class UnsyncedError(OSError):
    """The new file stands, whole; that it outlasts a power cut was not confirmed."""


def unreadable(error: OSError, path: Path) -> OSError:
    """``error``, which was met while ``path`` was read. One that is not there, or a link, stays so."""
    if isinstance(error, FileNotFoundError | NotPlainError):
        return error
    return UnreadableError(error.errno, error.strerror or str(error), str(path))


def storage_fault(
    error: OSError,
    path: Path,
    kept_safe: str = "The previous file is in place.",
    *,
    doing: str = "written",
) -> StorageError:
    """The operator's view of an OSError on ``path``, which was to be ``written`` or ``read``."""
    if isinstance(error, NotPlainError):
        return _not_plain(error)
    if isinstance(error, UnreadableError):
        path, doing = Path(error.filename), "read"
    if isinstance(error, TooLargeError):
        return StorageError.of(
            code="too_large",
            what_happened=f"{path} could not be read: {error.strerror}.",
            kept_safe=kept_safe,
            do_next=f"Move {path} aside, then run the same command again.",
            file=str(path),
        )
    permit = f"Give yourself {'read' if doing == 'read' else 'write'} permission there"
    code, do_next = {
        errno.ENOSPC: ("disk_full", "Free some space, then run the same command again."),
        errno.EDQUOT: ("quota_exceeded", "Free some space in your quota, then run the command again."),
        errno.EROFS: ("read_only", "Make the file system writable, then run the command again."),
        errno.EACCES: ("no_permission", f"{permit}, then run the command again."),
        errno.EPERM: ("no_permission", f"{permit}, then run the command again."),
    }.get(error.errno or 0, ("disk_error", "Check the disk (dmesg, df), then run the same command again."))
    free = ""
    if code == "disk_full":
        with contextlib.suppress(OSError):
            stats = os.statvfs(path.parent if path.parent.exists() else Path("/"))
            free = f", {stats.f_bavail * stats.f_frsize:,} bytes free"
    if isinstance(error, UnsyncedError):
        kept_safe = "The new file is in place, whole; a power cut before the disk works again may lose it."
    return StorageError.of(
        code=code,
        what_happened=f"{path} could not be {doing}: {error.strerror or error}{free}.",
        kept_safe=kept_safe,
        do_next=do_next,
        file=str(path),
    )


def events_fault(place: str, error: OSError) -> Fault | None:
    """What to tell of an event stream that ``place`` took no further; None where its reader went away."""
    if error.errno == errno.EPIPE:
        return None
    return Fault(
        code="events_refused",
        what_happened=f"Events could not be written to {visible(place)}: {error.strerror or error}; "
        "what followed is missing there.",
        kept_safe="The work went on without them: its outputs and reports are as they should be.",
        do_next="Look at that disk (df, dmesg). Run the command again if the events are needed.",
        file=place,
    )


# By which a disk refuses what is right in itself: never a bug of who asked.
_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE)


def refused_by_disk(error: BaseException, kept_safe: str) -> Fault | None:
    """What to tell of an ``error`` that a disk's refusal led to; None for any other."""
    for met in with_its_causes(error):
        if isinstance(met, StorageError):
            return met.fault
        if isinstance(met, NotPlainError) or (isinstance(met, OSError) and met.errno in _REFUSALS):
            place = Path(os.fsdecode(met.filename)) if isinstance(met.filename, str | bytes) else None
            return storage_fault(met, place or Path("A file"), kept_safe, doing="read or written").fault
    return None


def with_its_causes(error: BaseException) -> Iterator[BaseException]:
    """``error``, and what it was raised for: a library may have wrapped the system's word."""
    seen: set[int] = set()
    met: BaseException | None = error
    while met is not None and id(met) not in seen:
        seen.add(id(met))
        yield met
        met = met.__cause__ or met.__context__


def _not_plain(error: NotPlainError) -> StorageError:
    place = visible(error.place)
    return StorageError.of(
        code="link_in_the_way",
        what_happened=f"{place} is {error.what}: what is written there would go elsewhere.",
        kept_safe="Nothing was written through it; the last outputs are in place.",
        do_next="Remove the link (or move the whole workspace there), then run the command again.",
        file=error.place,
    )
