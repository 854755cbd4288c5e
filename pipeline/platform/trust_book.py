"""What of other people's code a person has trusted, by digest; kept outside of every workspace.

The book is one file in the user's own state folder (``$XDG_STATE_HOME/distill``, else
``~/.local/state/distill``). Nothing that lies in a workspace can write itself into it, and code counts as
trusted wherever it lies: the copies in which repairs are rehearsed need no consent of their own.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.contracts.faults import StorageError
from pipeline.contracts.moments import now_utc
from pipeline.platform import disk, disk_faults
from pipeline.platform.lenient_json import object_of, object_or_none, text_of, texts_of
from pipeline.platform.temporary import temporary_place

BOOK = "trust.json"
# The newest so many digests of a workspace; whoever goes back further is asked again.
MOST_KEPT = 100
_MOST_BYTES = 16 << 20


@dataclass(frozen=True)
class Trusted:
    """What is trusted of one workspace, the latest last: digests of engines, of the settings that name
    programs, and ranges of commits (``GOOD..BAD``) whose engines may be tried.
    """

    engines: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    at: str = ""

    def with_more(self, *, engine: str = "", programs: str = "", commits: str = "") -> Trusted:
        return Trusted(
            _with(self.engines, engine),
            _with(self.programs, programs),
            _with(self.ranges, commits),
            now_utc(),
        )

    def to_json(self) -> dict[str, object]:
        return {"engines": self.engines, "programs": self.programs, "ranges": self.ranges, "at": self.at}


@dataclass(frozen=True)
class TrustBook:
    """``trouble`` says why the book cannot be read: then nothing is trusted."""

    workspaces: Mapping[str, Trusted] = field(default_factory=dict)
    trouble: str = ""

    def of(self, root: Path) -> Trusted:
        return self.workspaces.get(_name(root), Trusted())

    def has_engine(self, digest: str) -> bool:
        """Whether this code is trusted, wherever it lies."""
        return any(digest in each.engines for each in self.workspaces.values())


def state_folder() -> Path:
    """Where this user's own notes lie; not made by asking."""
    base = os.environ.get("XDG_STATE_HOME", "")
    home = Path(base) if base.startswith("/") else Path("~/.local/state").expanduser()
    return home / "distill"


def read_book() -> TrustBook:
    """The book as it is; one that somebody else may write is not believed. Never raises."""
    path = state_folder() / BOOK
    try:
        for place in (path.parent, path):
            found = place.lstat()
            if found.st_uid != os.getuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return TrustBook(trouble=f"{place} can be written by others, and is ignored")
        with disk.open_to_read(path) as file:
            value = object_or_none(file.read(_MOST_BYTES))
    except FileNotFoundError:
        return TrustBook()
    except (OSError, RuntimeError) as error:
        return TrustBook(trouble=f"{path} cannot be read: {error}")
    if value is None:
        return TrustBook(trouble=f"{path} is no JSON object")
    listed = object_of(value, "workspaces")
    return TrustBook({name: _trusted(object_of(listed, name)) for name in listed})


def _trusted(value: Mapping[str, object]) -> Trusted:
    engines, programs, ranges = (texts_of(value, name) for name in ("engines", "programs", "ranges"))
    return Trusted(engines, programs, ranges, text_of(value, "at") or "")


def remember(root: Path, *, engine: str = "", programs: str = "", commits: str = "") -> None:
    """Write down that this is trusted of the workspace ``root``. Raises StorageError."""
    with _changing() as workspaces:
        _forget_thrown_away(workspaces)
        known = workspaces.get(_name(root), Trusted())
        workspaces[_name(root)] = known.with_more(engine=engine, programs=programs, commits=commits)


def forget(root: Path) -> bool:
    """Trust nothing of the workspace ``root`` any more, and its code nowhere. Whether there was anything.

    Raises StorageError.
    """
    with _changing() as workspaces:
        gone = workspaces.pop(_name(root), None)
        if gone is None:
            return False
        for name, other in list(workspaces.items()):
            engines = tuple(each for each in other.engines if each not in gone.engines)
            workspaces[name] = replace(other, engines=engines)
        return True


@contextlib.contextmanager
def _changing() -> Iterator[dict[str, Trusted]]:
    """What the book holds, written back at the end, one process at a time."""
    folder = state_folder()
    disk.make_folder(folder)
    try:
        lock = os.open(folder / "trust.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise disk_faults.storage_fault(
            error, folder / "trust.lock", "What is trusted is as it was."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        workspaces = dict(read_book().workspaces)
        yield workspaces
        data = {
            "schema_version": 1,
            "workspaces": {name: each.to_json() for name, each in workspaces.items()},
        }
        disk.write_file(folder / BOOK, json.dumps(data, indent=1, ensure_ascii=True).encode() + b"\n")
    finally:
        os.close(lock)


def _forget_thrown_away(workspaces: dict[str, Trusted]) -> None:
    """A drill's workspace that is gone needs no memory; a disk that is not mounted now comes back."""
    try:
        temporary = temporary_place().resolve()
    except StorageError:
        return
    for name in list(workspaces):
        if Path(name).is_relative_to(temporary) and not Path(name).is_dir():
            del workspaces[name]


def _name(root: Path) -> str:
    return str(root.resolve())


def _with(known: tuple[str, ...], new: str) -> tuple[str, ...]:
    return (*(each for each in known if each != new), new)[-MOST_KEPT:] if new else known
