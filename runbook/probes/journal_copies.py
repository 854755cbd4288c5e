"""Good copies of journals that are not as audits read them: beside them, in incidents' stores, in git.

A copy is good when it begins with just the bytes that the last audit read. None is written, and none is
believed for its name.
"""

from __future__ import annotations

import gzip
import shlex
import zlib
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path, PurePosixPath

from pipeline.contracts import paths
from pipeline.platform import confined
from pipeline.platform.git import GitError
from pipeline.reading.incidents import incident_ids
from pipeline.reading.journal_damage import begins_as_read, broken, line_of_damage
from pipeline.reading.journal_memory import Memory, Seen, read_memory
from runbook.probes.evidence import Record
from runbook.probes.workspace import Workspace

# What is put back goes through memory once; a longer journal is put back by hand.
MOST_BYTES = 256 * 2**20
_MOST_BESIDE = 50
_MOST_COMMITS = 50
_KEPT = "kept"


class BrokenJournal(Record):
    """A journal as it was missed: ``bytes_read`` were there, with ``sha256``.

    ``line`` is where it ends, or from which on it may differ; with a copy, the first one that differs.
    ``copy_at`` is a good copy (``by_hand`` brings its bytes to stdout), or empty.
    """

    file: str
    line: int | None
    why: str
    bytes_read: int
    sha256: str
    copy_at: str = ""
    by_hand: str = ""

    @property
    def told(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place} {self.why}"


def broken_journals(root: Path) -> list[BrokenJournal]:
    """Those that an audit would miss now. Raises OSError."""
    memory = read_memory(root)
    return [_described(root, name, why, memory) for name, why in broken(root, memory).items()]


def _described(root: Path, name: str, why: str, memory: Memory) -> BrokenJournal:
    known = memory.known.get(name, ())
    last = known[0] if known else Seen(0, "")
    try:
        line = line_of_damage(root, name, memory)
    except OSError:
        line = None  # ``why`` says that it cannot be read
    return BrokenJournal(file=name, line=line, why=why, bytes_read=last.bytes, sha256=last.sha256)


def can_be_put_back(journal: BrokenJournal) -> bool:
    """Whether it is a journal of rows: what audits remember of them needs no copy, it is adopted."""
    is_of_rows = PurePosixPath(journal.file).suffix == ".jsonl" and journal.file != str(paths.JOURNAL_MEMORY)
    return is_of_rows and 0 < journal.bytes_read <= MOST_BYTES


def with_copy(workspace: Workspace, journal: BrokenJournal) -> BrokenJournal:
    """The journal with the first good copy that is found."""
    if not can_be_put_back(journal):
        return journal
    for place, by_hand, data in _candidates(workspace, journal):
        if begins_as_read(data, [Seen(journal.bytes_read, journal.sha256)]):
            line = _first_other(workspace.root, journal, data)
            return journal.model_copy(update={"copy_at": place, "by_hand": by_hand, "line": line})
    return journal


def _first_other(root: Path, journal: BrokenJournal, copy: bytes) -> int | None:
    """The first line that is not the copy's; as it was known where the journal is gone or cannot be read."""
    there = _bytes_of(root, journal.file)
    if there is None:
        return journal.line
    pairs = zip_longest(there.splitlines(keepends=True), copy.splitlines(keepends=True))
    return next((line for line, (here, good) in enumerate(pairs, start=1) if here != good), journal.line)


def read_copy(workspace: Workspace, journal: BrokenJournal) -> bytes | None:
    """The bytes of the copy that was found, where they are still good."""
    for place, _, data in _candidates(workspace, journal):
        if place == journal.copy_at and begins_as_read(data, [Seen(journal.bytes_read, journal.sha256)]):
            return data
    return None


def _candidates(workspace: Workspace, journal: BrokenJournal) -> Iterator[tuple[str, str, bytes]]:
    """Where it lies, the command that brings it to stdout, and its bytes."""
    for place in (*_beside(workspace.root, journal.file), *_kept(workspace.root, journal.sha256)):
        if (data := _bytes_of(workspace.root, place)) is not None:
            command = "gzip -dc" if place.endswith(".gz") else "cat"
            yield place, f"{command} {shlex.quote(place)}", data
    yield from _in_git(workspace, journal.file)


def _beside(root: Path, name: str) -> list[str]:
    """Files of its folder that an editor or a person may have left of it."""
    path = PurePosixPath(name)
    try:
        found = sorted(each.name for each in (root / path.parent).iterdir())
    except OSError:
        return []
    named = [each for each in found if path.stem in each and each != path.name]
    return [str(path.with_name(each)) for each in named[:_MOST_BESIDE]]


def _kept(root: Path, sha256: str) -> Iterator[str]:
    """What incidents keep under the digest that was read."""
    for each in incident_ids(root):
        for name in (sha256, f"{sha256}.gz"):
            place = paths.INCIDENTS / each / _KEPT / name
            if (root / place).is_file():
                yield str(place)


def _bytes_of(root: Path, place: str) -> bytes | None:
    """A plain file's bytes; None for what cannot be read or is too long."""
    try:
        with confined.opened(root, place) as descriptor, open(descriptor, "rb", closefd=False) as file:
            source = gzip.GzipFile(fileobj=file) if place.endswith(".gz") else file
            data = source.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        return None
    return data if len(data) <= MOST_BYTES else None


def _in_git(workspace: Workspace, name: str) -> Iterator[tuple[str, str, bytes]]:
    git = workspace.git
    try:
        if not git.is_repository:
            return
        for commit in git.log([name], limit=_MOST_COMMITS):
            entry = git.entry(commit.oid, name)
            if entry is not None and entry.is_regular:
                place = f"{commit.oid[:12]}:{name}"
                yield place, f"git cat-file blob {entry.oid[:12]}", git.blob(entry.oid)
    except (GitError, OSError, ValueError):
        return
