"""Which files the firewall reads, and how it opens one it does not trust."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple

from pipeline.contracts import paths
from pipeline.firewall.evaluation_sets import matches, set_patterns
from pipeline.firewall.plain_files import FileRefusedError

_OFFSET_BITS = 44


class Place(NamedTuple):
    """Where the evidence of a run lies: number of the file, and byte offset in it."""

    file: int
    offset: int

    @property
    def packed(self) -> int:
        """In 60 bits; ``MOST_FILES`` is what fits."""
        return self.file << _OFFSET_BITS | self.offset

    @classmethod
    def unpacked(cls, packed: int) -> Place:
        return cls(packed >> _OFFSET_BITS, packed & (1 << _OFFSET_BITS) - 1)


MOST_FILES = 1 << 60 - _OFFSET_BITS


@dataclass(frozen=True)
class Places:
    """Where one look finds its files. ``root`` is None outside of a workspace."""

    target: Path
    shown: str
    root: Path | None
    evidence: tuple[Path, ...]
    scored: tuple[Path, ...]
    is_live: bool

    @classmethod
    def of(
        cls,
        root: Path | None,
        target: Path | None,
        evidence: Sequence[Path],
        scored: Sequence[Path],
    ) -> Places:
        """``target`` None means the workspace's live SFT export."""
        live = None if root is None else root / paths.SFT_EXPORT
        chosen = target if target is not None else live
        if chosen is None:
            raise ValueError("without a workspace a file has to be named")
        if root is not None:
            evidence = evidence or (root / paths.EVIDENCE,)
            scored = scored or (root / paths.SCORED_RUNS,)
        absolute = Path(os.path.abspath(chosen))  # noqa: PTH100 - must not resolve links
        shown = str(chosen)
        if root is not None and absolute.is_relative_to(root):
            shown = absolute.relative_to(root).as_posix()
        return cls(absolute, shown, root, tuple(evidence), tuple(scored), absolute == live)

    def check_target(self) -> None:
        """Raise FileRefusedError for a path in the workspace that a link leads out of it."""
        if self.root is None or not self.target.is_relative_to(self.root):
            return
        if not self.target.resolve().is_relative_to(self.root.resolve()):
            raise FileRefusedError("a link leads out of the workspace")

    def index_files(self) -> tuple[list[Path], list[Path], list[str]]:
        """Scored files, evidence files, and what could not be looked into."""
        problems: list[str] = []
        return _jsonl_files(self.scored, problems), _jsonl_files(self.evidence, problems), problems

    def to_watch(self) -> list[Path]:
        """Files and folders in which a change may change the verdict.

        The target stands here itself as well, where a link leads and as an inode: another name of it is
        written to without a word to its folder.
        """
        found = [self.target, self.target.parent, self.target.resolve().parent]
        for place in (*self.scored, *self.evidence):
            found += [place, *(Path(folder, name) for folder, names, _ in os.walk(place) for name in names)]
        if self.root is not None:
            found += [self.root, self.root / paths.FORMATTED, (self.root / paths.INTENT).parent]
            found += [Path(folder) for folder, _, _ in os.walk(self.root / paths.EXPORTS)]
            for pattern in set_patterns(self.root):
                files = [self.root / relative for relative in matches(self.root, pattern)]
                found += [*files, *{file.parent for file in files}, self.root / _literal_folder(pattern)]
        return found

    def fingerprint(self) -> list[tuple[int, ...]]:
        """What tells that a file of this look was replaced or written to meanwhile."""
        scored, evidence, _ = self.index_files()
        read = [self.target, *scored, *evidence]
        if self.root is not None:
            read.append(self.root / paths.SETTINGS)
            for pattern in set_patterns(self.root):
                read += [self.root / relative for relative in sorted(matches(self.root, pattern))]
            if self.is_live:
                read += [self.root / each for each in (*paths.EXPORT_FILES.values(), paths.EXPORT_MANIFEST)]
        return [signature(path) for path in read]

    def quarantined(self) -> list[str]:
        """Names of contaminated exports that were moved aside; they are listed, never read."""
        if self.root is None:
            return []
        found = []
        for folder, _, names in os.walk(self.root / paths.EXPORTS):
            found += [Path(folder, name) for name in names if paths.QUARANTINE_MARK in name]
        return sorted(path.relative_to(self.root).as_posix() for path in found)


def _literal_folder(pattern: str) -> Path:
    """The deepest folder that a glob names without a wildcard: there its first file may appear."""
    plain = itertools.takewhile(lambda part: not set(part) & set("*?["), PurePath(pattern).parts)
    return Path(*plain).parent if not set(pattern) & set("*?[") else Path(*plain)


def signature(path: Path) -> tuple[int, ...]:
    """Device, inode, size and time of change of a file; empty when there is none to be seen."""
    try:
        seen = path.stat()
    except OSError:
        return ()
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns


def change_time(path: Path) -> int:
    """The time that not even the file's owner can set back; a new hard link moves it, too."""
    try:
        return path.stat().st_ctime_ns
    except OSError:
        return 0


def _jsonl_files(places: Sequence[Path], problems: list[str]) -> list[Path]:
    """The ``*.jsonl`` files in folders (at any depth) and among files, in a stable order."""
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            for folder, folders, names in os.walk(place, onerror=lambda error: problems.append(str(error))):
                folders.sort()
                inside = [Path(folder, name) for name in sorted(names) if name.endswith(".jsonl")]
                for path in (*inside, *(Path(folder, name) for name in folders)):
                    if path.is_symlink() and not path.resolve().is_relative_to(place.resolve()):
                        problems.append(f"{path.name}: a link leads out of {place.name}")
                    elif path in inside:
                        found.append(path)
        elif place.exists():
            found.append(place)
        elif place.suffix == ".jsonl":
            problems.append(f"{place.name}: it is gone")
    return found
