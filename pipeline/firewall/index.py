"""The firewall's own index: what the scorer said of each run, and what rejected runs answered.

Scored runs are read first, so that only the texts of rejected runs need a hash. Of a run that is
scored twice the worst verdict counts. Lines that cannot be read are counted: with any of them a
rejected text may have gone unseen, so that nothing may be called clear.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import UNSET

from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.firewall import index_rows, prefix_check, version_1
from pipeline.firewall.conversation import last_answer, raw_bytes, text_of
from pipeline.firewall.index_rows import EvidenceHead, EvidenceRow
from pipeline.firewall.line_feed import MAX_LINE_BYTES, Block, LineFeed
from pipeline.firewall.material import Material, of_messages, of_texts
from pipeline.firewall.places import MOST_FILES, Place, signature
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular
from pipeline.firewall.rejected_texts import RejectedTexts
from pipeline.firewall.run_dict import RunDict
from pipeline.firewall.run_table import VERDICTS, RunTable, Verdict, has_evidence, is_rejected, place_of
from pipeline.firewall.same_answer import answer_of, keys, questions_of
from pipeline.firewall.sketches import edges_sketch, tail_sketch
from pipeline.firewall.strict_json import UnreadableError

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

OLDER_THAN_RUNS = "its rows are of version 1 and its runs of a newer one: write it again with distill export"
_CHUNK = 1024 * 1024
_PIECE = 16 * 1024  # of a line that is read again; most are shorter
_LONG_PIECE = 128 * 1024  # of a line that stands soon behind the last one that was
_MOST_OPEN = 64
_DESCRIBED_AT_MOST = 200  # more findings than are kept need no names
_BYTES_A_SCORED_ROW = 400  # a first guess, for the size of the table only
_MOST_EXPECTED = 32_000_000  # runs that a table has room for from the start; a file may lie about its size
_MOST_KEPT = 1_000_000  # runs of a look that is kept


Row = TypeVar("Row")


@dataclass
class IndexCounts:
    scored_rows: int = 0
    evidence_rows: int = 0
    rejected: int = 0
    rejected_unseen: int = 0  # rejected runs whose evidence has not been read
    unreadable: int = 0
    seconds: float = 0.0


@dataclass
class _FileRead:
    """How far a file has been read, and what tells that it is still the same file.

    ``hasher`` has the digest of what was read, where the look is kept."""

    feed: LineFeed = field(default_factory=LineFeed)
    position: int = 0
    identity: tuple[int, ...] = ()
    window: bytes = b""
    hasher: Hash | None = None

    def still_begins(self, path: Path) -> bool:
        seen = signature(path)
        if seen[:2] != self.identity or seen[2] < self.position:
            return False
        try:
            descriptor = open_regular(path)
        except (FileRefusedError, FileMissingError):
            return False
        try:
            return prefix_check.window(descriptor, self.position) == self.window
        finally:
            os.close(descriptor)


class _Descriptor:
    """An open file that is closed when nobody holds it any more; and what was last read of it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.start = 0
        self.piece = b""

    def line_at(self, offset: int) -> bytes:
        """The line that begins at an offset, without its line end. Runs are mostly asked for in their order,
        so that one piece holds many of them."""
        at = offset - self.start
        end = self.piece.find(b"\n", at) if 0 <= at < len(self.piece) else -1
        if end < 0:
            follows = 0 <= at < _LONG_PIECE
            self.piece = os.pread(self.number, _LONG_PIECE if follows else _PIECE, offset)
            self.start, at = offset, 0
            end = self.piece.find(b"\n")
        while end < 0:
            more = os.pread(self.number, _LONG_PIECE, offset + len(self.piece))
            if not more or len(self.piece) >= MAX_LINE_BYTES:
                raise UnreadableError("the line has no end")
            end = more.find(b"\n")
            end += len(self.piece) if end >= 0 else 0
            self.piece += more
        return self.piece[at:end]

    def __del__(self) -> None:
        os.close(self.number)


@dataclass
class Index:
    """Built by ``build``, which may be read in slices; whole once that generator has ended."""

    scored: Sequence[Path]
    evidence: Sequence[Path]
    listed: Sequence[str] = ()
    """What could not even be listed; with any of it nothing may be called clear."""
    version: int = 2
    """Of the export that is judged: each has the content wall of its own version."""
    is_kept: bool = False
    """The look is to be kept, if the runs are not too many: they go by name, and what is read has digests."""
    runs: RunTable | RunDict = field(init=False)
    texts: RejectedTexts = field(init=False)
    counts: IndexCounts = field(default_factory=IndexCounts)
    problems: list[str] = field(default_factory=list)
    must_be_rebuilt: bool = False
    unread_again: int = 0  # rows whose run's evidence could not be read a second time
    is_older_than_evidence: bool = False
    """The export says that it is of version 1, and evidence beside it is of a newer one."""
    _files: dict[Path, _FileRead] = field(default_factory=dict)
    _described: int = 0
    _open: dict[int, _Descriptor] = field(default_factory=dict)

    def build(self) -> Iterator[None]:
        """Read everything, yielding after each chunk so that a watcher can look up."""
        started = time.perf_counter()
        size = sum(_size(path) for path in self.scored)
        expected_runs = min(size // _BYTES_A_SCORED_ROW, _MOST_EXPECTED)
        self.is_kept = self.is_kept and expected_runs <= _MOST_KEPT
        self.runs = RunDict() if self.is_kept else RunTable(expected_runs)
        self.texts = RejectedTexts()
        for number, path in enumerate(self.scored):
            yield from self._read(path, number, self._take_scored)
        self.texts = RejectedTexts(self.counts.rejected)
        if len(self.evidence) > MOST_FILES:
            self.problems.append(f"there are more than {MOST_FILES:,} files of evidence")
        for number, path in enumerate(self.evidence[:MOST_FILES]):
            yield from self._read(path, number, self._take_evidence)
        self.counts.seconds = time.perf_counter() - started

    def can_grow(self, scored: Sequence[Path], evidence: Sequence[Path], listed: Sequence[str]) -> bool:
        """Whether the same files stand there, each as it was or longer."""
        if (list(self.scored), list(self.evidence), list(self.listed)) != (
            list(scored),
            list(evidence),
            list(listed),
        ):
            return False
        return not self.problems and all(
            path in self._files and self._files[path].still_begins(path) for path in (*scored, *evidence)
        )

    def grow(self) -> Iterator[None]:
        """Read what was appended. ``must_be_rebuilt`` is set when that is not enough."""
        for number, path in enumerate(self.scored):
            yield from self._read(path, number, self._take_scored)
        for number, path in enumerate(self.evidence):
            yield from self._read(path, number, self._take_evidence)

    def resume(self, path: Path, position: int, hasher: Hash) -> None:
        """Take ``path`` as read up to ``position``, a line's end."""
        feed = LineFeed()
        feed.offset = position
        self._files[path] = _FileRead(feed, position, hasher=hasher)

    def read_up_to(self, path: Path) -> tuple[int, str] | None:
        """How many bytes of a file were read, and their digest; None where that ends within a line."""
        file = self._files.get(path)
        if file is None or file.hasher is None or file.feed.rest or file.feed.offset != file.position:
            return None
        return file.position, file.hasher.hexdigest()

    @property
    def unreadable(self) -> int:
        """Lines that could not be read, unterminated last ones among them."""
        return self.counts.unreadable + sum(1 for file in self._files.values() if file.feed.rest)

    @property
    def is_whole(self) -> bool:
        """Whether all files were there and could be read, so that a run not seen does not exist."""
        return bool(self.scored and self.evidence) and not self.listed and not self.problems

    @property
    def doubt(self) -> str | None:
        """Why a file without findings may not be called clear, None when it may."""
        if not self.scored:
            return "there are no scored runs to judge by"
        if not self.evidence:
            return "there is no evidence to judge by"
        problems = [*self.listed, *self.problems]
        if problems:
            return problems[0]
        unreadable = self.unreadable
        if unreadable:
            return f"{plural(unreadable, 'line')} of evidence or scored runs cannot be read"
        if self.is_older_than_evidence:
            return OLDER_THAN_RUNS
        if self.unread_again:
            return f"the evidence of {plural(self.unread_again, 'row')} cannot be read again to compare them"
        if self.counts.rejected_unseen:
            return f"{self.counts.rejected_unseen} rejected runs have no evidence to compare with"
        return None

    def describe(self, place: Place) -> str:
        """Name the rejected run at a place, by reading its evidence line again."""
        path = self.evidence[place.file]
        where = f"({visible(path.name)}, byte {place.offset})"
        self._described += 1
        if self._described > _DESCRIBED_AT_MOST:
            return where
        try:
            with os.fdopen(open_regular(path), "rb") as file:
                file.seek(place.offset)
                head = index_rows.read_head(file.readline(MAX_LINE_BYTES))
        except (OSError, FileMissingError, FileRefusedError, UnreadableError):
            return where
        return f"{visible(head.run_id, 120)} {where}"

    def _read(self, path: Path, number: int, take: Callable[[Block, int], None]) -> Iterator[None]:
        try:
            descriptor = open_regular(path)
        except (FileRefusedError, FileMissingError) as refused:
            self.problems.append(f"{visible(path.name)}: {refused or 'it is gone'}")
            return
        file = self._files.setdefault(path, _FileRead())
        file.identity = signature(path)[:2]
        if self.is_kept and file.hasher is None:
            file.hasher = sha256()
        try:
            while data := os.pread(descriptor, _CHUNK, file.position):
                file.position += len(data)
                if file.hasher is not None:
                    file.hasher.update(data)
                for block in file.feed.feed(data):
                    take(block, number)
                if file.feed.is_endless:
                    line = f"the line that ends behind byte {file.position:,} is over 64 MiB"
                    self.problems.append(f"{visible(path.name)}: {line}; the rest was not read")
                    break
                yield
            file.window = prefix_check.window(descriptor, file.position)
        except OSError as error:
            self.problems.append(f"{visible(path.name)}: {error.strerror}")
        finally:
            os.close(descriptor)

    def _take_scored(self, block: Block, _file: int) -> None:
        rows = None if block.data is None else index_rows.read_scored_block(block.data)
        for row in self._by_line(block, index_rows.read_scored) if rows is None else rows:
            if UNSET in (row.run_id, row.stream, row.task_id, row.category):
                self.counts.unreadable += 1
                continue
            verdict = VERDICTS.get(str(row.category), Verdict.UNKNOWN_CATEGORY)
            before = self.runs.add_verdict(str(row.run_id), verdict)
            self.counts.scored_rows += 1
            if verdict is Verdict.REJECTED and not is_rejected(before):
                self.counts.rejected += 1
                self.counts.rejected_unseen += 1
                # Its evidence went by as that of a run whose texts were not needed.
                self.must_be_rebuilt = self.must_be_rebuilt or has_evidence(before)

    def _take_evidence(self, block: Block, file: int) -> None:
        heads = None if block.data is None else index_rows.read_head_block(block.data)
        lines = list(block.lines())
        if heads is None or len(heads) != len(lines):
            for offset, line in lines:
                for head in self._by_line(Block(offset, line + b"\n"), index_rows.read_head):
                    self._add_evidence(head, Place(file, offset), line)
            if block.data is None:
                self.counts.unreadable += 1
            return
        for head, (offset, line) in zip(heads, lines, strict=True):
            self._add_evidence(head, Place(file, offset), line)

    def _by_line(self, block: Block, read: Callable[[bytes], Row]) -> Iterator[Row]:
        """Something in the block is in doubt: count the lines that cannot be read, yield the others."""
        if block.data is None:
            self.counts.unreadable += 1
        for _, line in block.lines():
            try:
                row = read(line)
            except UnreadableError:
                self.counts.unreadable += 1
            else:
                yield row

    def _add_evidence(self, head: EvidenceHead, place: Place, line: bytes) -> None:
        before = self.runs.add_evidence(head.run_id, place)
        if self.version == 1 and not self.is_older_than_evidence:
            self.is_older_than_evidence = index_rows.is_newer(line)
        self.counts.evidence_rows += 1
        if not is_rejected(before):
            return
        try:
            row = index_rows.read_evidence(line)
        except UnreadableError:
            self.counts.unreadable += 1
            return
        if row.run_id != head.run_id:  # several rows on one line, and one over several
            self.counts.unreadable += 1
            return
        self._add_rejected(row, head, place)
        if not has_evidence(before):
            self.counts.rejected_unseen -= 1

    def _add_rejected(self, row: EvidenceRow, head: EvidenceHead, place: Place) -> None:
        row.stream, row.task_id = head.stream, head.task_id
        is_code = False
        if self.version == 1:
            found = version_1.keys_of_run(row)
        else:
            material = material_of(row)
            answer = answer_of(material.said)
            found = (
                [] if answer is None else keys(answer, questions_of(material.asked, row.stream, row.task_id))
            )
            is_code = answer is not None and answer.is_code
        if not found:
            return  # nothing was answered, so that there is nothing to find again
        last = raw_bytes(last_answer(row.messages) if row.messages else row.response)
        tail = tail_sketch(last, fences=self.version != 1)
        sketches = (tail, edges_sketch(last, tail, fences=self.version != 1))
        self.texts.add(sketches, found, place, is_code=is_code)

    def for_thread(self) -> Index:
        """The same index for another thread: with open files, and a count of what went unread, of its own."""
        other = copy.copy(self)
        other._open, other.unread_again = {}, 0
        return other

    def evidence_of(self, packed: int) -> EvidenceRow | None:
        """The evidence of a run, read again; None where that cannot be done. ``packed``: see ``RunTable``."""
        place = place_of(packed)
        if place is None or place.file >= len(self.evidence):
            return None
        try:
            return index_rows.read_evidence(self._opened(place.file).line_at(place.offset))
        except (OSError, FileRefusedError, FileMissingError, UnreadableError):
            return None

    def read_anew(self) -> None:
        """Forget what was read again, so that what stands in the files now is read."""
        for file in self._open.values():
            file.piece = b""

    def _opened(self, number: int) -> _Descriptor:
        if number not in self._open:
            if len(self._open) >= _MOST_OPEN:
                self._open.clear()
            self._open[number] = _Descriptor(open_regular(self.evidence[number]))
        return self._open[number]


def material_of(row: EvidenceRow) -> Material:
    """What a run was asked and what it answered."""
    context = text_of(row.context)
    if row.messages:
        return of_messages(row.messages, context)
    return of_texts(text_of(row.instruction), context, text_of(row.response))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
