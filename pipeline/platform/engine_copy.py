"""A copy of a workspace's engine with nothing beside it: what runs is what was trusted, and only that.

It lies in the user's own state folder under its digest, and Python keeps its compiled files there. What is
equal to a file of an engine that was copied before is linked, and what equals the installed one brings its
compiled file along: an engine with one edited file starts as quickly as the one before.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.contracts.discovery import installed_package
from pipeline.contracts.faults import StorageError
from pipeline.platform import disk, disk_faults
from pipeline.platform.engine_files import EngineFiles, read_engine, read_file
from pipeline.platform.temporary import temporary_place
from pipeline.platform.trust_book import state_folder

PACKAGE = "pipeline"
FOLDER = "engines"
# Copies that nobody has started for so long make room, but for the newest ones.
_KEPT_SECONDS = 14 * 86400.0
_KEPT = 6


def copied(package: Path, files: EngineFiles) -> Path:
    """The folder that holds a copy of ``package``, as ``files`` say it is, and nothing else.

    Raises StorageError, and OSError when the package is not, or no longer, as ``files`` say.
    """
    digest = files.digest
    for home in _homes():
        place = home / digest
        if _is_whole(place, files):
            with contextlib.suppress(OSError):
                os.utime(place)
            return place
    home = _made_home()
    place = home / digest
    try:
        _make(package, files, home, place)
    except OSError as error:
        if error.errno is None:  # what was read is not what was digested
            raise
        raise disk_faults.storage_fault(error, place, "No code of the workspace was run.") from error
    return place


def copy_of(digest: str) -> Path | None:
    """The package of the copy with this digest, if there is one."""
    return next((home / digest / PACKAGE for home in _homes() if (home / digest / PACKAGE).is_dir()), None)


def _homes() -> Iterator[Path]:
    """Where copies may lie: with this user's notes, or where there is no such place, a private folder."""
    for place in (_lasting_home, _temporary_home):
        # Without a temporary folder the notes' own may do all the same.
        with contextlib.suppress(OSError, StorageError):
            home = place()
            found = home.lstat()
            mine = found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            if stat.S_ISDIR(found.st_mode) and mine:
                yield home


def _lasting_home() -> Path:
    return state_folder() / FOLDER


def _temporary_home() -> Path:
    """Raises StorageError."""
    return temporary_place() / f"distill-{os.getuid()}-{FOLDER}"


def _made_home() -> Path:
    """Raises StorageError."""
    try:
        disk.make_folder(state_folder() / FOLDER)
    except StorageError:
        with contextlib.suppress(OSError, StorageError):
            _temporary_home().mkdir(mode=0o700)
    home = next(_homes(), None)
    if home is None:
        disk.make_folder(state_folder() / FOLDER)  # says what is wrong with it
        home = state_folder() / FOLDER
    return home


def _is_whole(place: Path, files: EngineFiles) -> bool:
    """Whether each file is there with its bytes: an engine that wrote into its own package spoiled it."""
    try:
        return read_engine(place / PACKAGE).digests == files.digests
    except OSError:
        return False


def _make(package: Path, files: EngineFiles, home: Path, place: Path) -> None:
    aside = Path(tempfile.mkdtemp(prefix=".", dir=home))
    try:
        target = aside / PACKAGE
        bases = [*(_copies(home)[:1]), installed_package()]
        known = [(base, read_engine(base).digests) for base in bases if base.is_dir()]
        for relative, digest in files.digests.items():
            base = next((each for each, digests in known if digests.get(relative) == digest), None)
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            if base is None:
                data = read_file(package, relative)
                if hashlib.sha256(data).hexdigest() != digest:
                    raise OSError(f"{package / relative} changed while it was read")
                (target / relative).write_bytes(data)
            else:
                _take_over(base / relative, target / relative)
        _put_in_place(aside, place, files)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for old in _copies(home)[_KEPT:]:
        with contextlib.suppress(OSError):
            if time.time() - old.parent.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(old.parent)


def _put_in_place(aside: Path, place: Path, files: EngineFiles) -> None:
    """Unless another process has just made the same copy, which then stays. Raises OSError."""
    if _is_whole(place, files):
        return
    shutil.rmtree(place, ignore_errors=True)
    try:
        aside.rename(place)
    except OSError:
        if not _is_whole(place, files):
            raise


def _take_over(source: Path, target: Path) -> None:
    """The same file with its times, and the compiled one that belongs to it."""
    _link_or_copy(source, target)
    if source.suffix == ".py":
        compiled = Path(importlib.util.cache_from_source(str(source)))
        if compiled.is_file():
            with contextlib.suppress(OSError):
                cache = Path(importlib.util.cache_from_source(str(target)))
                cache.parent.mkdir(exist_ok=True)
                _link_or_copy(compiled, cache)


def _link_or_copy(source: Path, target: Path) -> None:
    if source.is_relative_to(state_folder()) or source.is_relative_to(_temporary_home()):
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    shutil.copy2(source, target)


def _copies(home: Path) -> list[Path]:
    """The packages of all copies, those that were used last first."""
    found = []
    with contextlib.suppress(OSError):
        for each in home.iterdir():
            with contextlib.suppress(OSError):
                if not each.name.startswith(".") and (each / PACKAGE).is_dir():
                    found.append((each.stat().st_mtime, each / PACKAGE))
    return [package for _, package in sorted(found, reverse=True)]
