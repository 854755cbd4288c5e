"""A file that is one JSON value, read as its items: an array, or objects printed over several lines.

What a file is, its first bytes say, never its name. Whatever closes its first object on its first
line is lines. Anything else that begins with a bracket is looked at to its end, in blocks: only a
value that closes, with nothing behind it, has items. One that does not is never used by halves,
although some of its lines would be objects by themselves: it is one item, torn where the file
ends too early. The exception is a file of lines whose first one is damaged: most of the lines
after it are objects by themselves, and then they are lines.

Memory is one block and 24 bytes an item. An item that is longer than a line may be is oversize.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pipeline.contracts.skips import LineFault
from pipeline.storage.archives import Ending, extent_of, open_source
from pipeline.storage.source_lines import BYTE_ORDER_MARK, MAX_LINE_BYTES, SourceLine, lines_of, parse_line

_BLOCK_BYTES = 2**20
_SPACE = b" \t\r\n"
_NOT_SPACE = re.compile(rb"[^ \t\r\n]")
# What lies between two brackets of an item, strings whole; and what lies between two items.
_INSIDE = re.compile(rb'(?:[^"\[\]{}]++|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+")*+', re.DOTALL)
_BETWEEN = re.compile(rb'(?:[^"\[\]{},]++|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+")*+', re.DOTALL)
_REST_OF_TEXT = re.compile(rb'[^"\\\n]*+(?:\\.[^"\\\n]*+)*+', re.DOTALL)
_OPENING, _CLOSING = b"[{", b"]}"
_PARTNER = {0x5D: 0x5B, 0x7D: 0x7B}  # "]" → "[", "}" → "{"
_QUOTE, _BACKSLASH, _COMMA, _ARRAY, _OBJECT = 0x22, 0x5C, 0x2C, 0x5B, 0x7B
_LINES_LOOKED_AT = 20


@dataclass
class Document:
    """Where the items lie: first byte, byte after the last, and number of the line each begins on.

    ``is_torn``: the file ends before its value does. Its one item is then all of it, as it is of a
    value that is broken.
    """

    starts: array[int] = field(default_factory=lambda: array("Q"))
    ends: array[int] = field(default_factory=lambda: array("Q"))
    lines: array[int] = field(default_factory=lambda: array("Q"))
    is_torn: bool = False
    size: int = 0
    last_line: int = 0

    def add(self, start: int, end: int, line: int) -> None:
        self.starts.append(start)
        self.ends.append(end)
        self.lines.append(line)

    def count(self, ending: Ending) -> int:
        """How many lines ``items`` gives."""
        return len(self.starts) + (ending.is_early and not self.is_torn)

    def items(self, file: BinaryIO, ending: Ending = Ending.OPEN) -> Iterator[SourceLine]:
        """Each item of ``file``, which is read forwards. Of one that is oversize, enough to see it.

        Behind a value that is whole in an archive that is not, one line stands for what is missing.
        """
        position = 0
        for start, end, line in zip(self.starts, self.ends, self.lines, strict=True):
            _pass_over(file, start - position)
            raw = _exactly(file, min(end - start, MAX_LINE_BYTES + 1))
            _pass_over(file, end - start - len(raw))
            position = end
            dropped = end - start - len(raw)
            yield SourceLine(raw, line, start, self.is_torn, ending, is_item=True, dropped=dropped)
        if ending.is_early and not self.is_torn:
            yield SourceLine(b"", self.last_line + 1, self.size, True, ending)


def read_source(
    path: Path, ending: Ending, *, whole: bool = False, size: int | None = None, claimed: int | None = None
) -> Iterator[SourceLine]:
    """The lines of a source file, or the items of one that is whole JSON. An archive is read twice.

    ``ending`` is how a file that is not compressed ends (``streams.files.ending_of``). ``whole``: a
    file that holds one object on one line is whole without a line end, too. ``size`` is how many
    bytes a run read, and ``claimed`` how many lines it counted in them: an engine that knew lines
    only read whole JSON by its lines. Raises InputError for a file that cannot be read.
    """
    extent = extent_of(path)
    usable = None if extent.compression is None else extent.bytes
    ending = ending if extent.compression is None else extent.ending
    looked_at = min((bound for bound in (size, usable) if bound is not None), default=None)
    with open_source(path) as file:
        document = find_items(file, looked_at, whole=whole)
    if document is not None and claimed not in (None, document.count(ending)):
        document = None
    with open_source(path) as file:
        yield from lines_of(file, ending, usable) if document is None else document.items(file, ending)


def find_items(file: BinaryIO, size: int | None = None, *, whole: bool = False) -> Document | None:
    """The items of the first ``size`` bytes of ``file``, or None where they are lines."""
    return _Look(file, size, whole=whole).document()


class _Limited:
    """The first ``size`` bytes of a file, as far as ``read`` is concerned; all of them without a size."""

    def __init__(self, file: BinaryIO, size: int | None) -> None:
        self._file = file
        self._left = size

    def read(self, count: int) -> bytes:
        if self._left is None:
            return self._file.read(count)
        block = self._file.read(min(count, self._left))
        self._left -= len(block)
        return block


class _BrokenError(Exception):
    """The bytes are no JSON value, whatever follows."""


class _Look:
    """One pass over the brackets of a file."""

    def __init__(self, file: BinaryIO, size: int | None, *, whole: bool) -> None:
        self._file = _Limited(file, size)
        self._whole = whole
        self._found = Document()
        self._open = bytearray()
        self._is_array = False
        self._base = 0  # offset of the block
        self._line = 1  # number of the line at ``_counted`` of the block
        self._counted = 0
        self._in_text = self._is_escaped = False
        self._item_start: tuple[int, int] | None = None
        self._last_byte_end = 0
        self._expects_item = False
        self._begin_line = 1
        self._closed = self._is_lines = False
        self._closed_line = 0

    def document(self) -> Document | None:
        block = self._file.read(_BLOCK_BYTES)
        head = block
        start = len(BYTE_ORDER_MARK) if block.startswith(BYTE_ORDER_MARK) else 0
        first = _NOT_SPACE.search(block, start)
        if first is None or block[first.start()] not in _OPENING:
            return None
        self._is_array = block[first.start()] == _ARRAY
        at = begin = first.start()
        self._begin_line = 1 + block.count(b"\n", 0, begin)
        try:
            while block:
                self._counted = 0
                at = self._block(block, at)
                if at < 0:
                    return None
                self._line += block.count(b"\n", self._counted)
                self._base += len(block)
                block, at = self._file.read(_BLOCK_BYTES), 0
        except _BrokenError:
            while block:
                self._base += len(block)
                block = self._file.read(_BLOCK_BYTES)
        else:
            if self._closed and not self._open:
                self._found.size, self._found.last_line = self._base, self._line
                return self._whole_document()
            self._found.is_torn = True
        if _are_lines(head, begin, is_array=self._is_array):
            return None
        broken = Document(is_torn=self._found.is_torn)
        broken.add(begin, self._base, self._begin_line)
        return broken

    def _whole_document(self) -> Document | None:
        found = self._found
        if self._is_array or len(found.starts) > 1 or self._whole:
            return found
        # One object: on one line it is a line like any other, whose end says that it is whole.
        return found if self._closed_line > self._begin_line else None

    def _block(self, block: bytes, at: int) -> int:
        """Take in ``block`` from ``at`` on. Negative: the file is lines. Raises _BrokenError."""
        size = len(block)
        while at < size:
            if self._in_text:
                at = self._text(block, at)
                continue
            if not self._open:
                following = _NOT_SPACE.search(block, at)
                if following is None:
                    return size
                at = following.start()
                if self._closed:
                    self._another(block, at)
                    if self._is_lines:
                        return -1
                self._begin(block, at)
                at += 1
                continue
            between = self._is_array and len(self._open) == 1
            end = (_BETWEEN if between else _INSIDE).match(block, at).end()  # type: ignore[union-attr]
            if between:
                self._scalar(block, at, end)
            if end == size:
                return size
            at = self._byte(block, end, between=between)
        return size

    def _text(self, block: bytes, at: int) -> int:
        """Go on inside a string; the byte after what was taken in."""
        if self._is_escaped:
            self._is_escaped = False
            at += 1
        end = _REST_OF_TEXT.match(block, at).end()  # type: ignore[union-attr]
        if end >= len(block):
            return len(block)
        if block[end] == _QUOTE:
            self._in_text = False
            self._last_byte_end = self._base + end + 1
            return end + 1
        if block[end] == _BACKSLASH and end + 1 == len(block):
            self._is_escaped = True
            return len(block)
        raise _BrokenError

    def _byte(self, block: bytes, at: int, *, between: bool) -> int:
        """A quote, a bracket, or a comma between two items."""
        byte = block[at]
        if byte == _QUOTE:
            # The string does not end in this block, or not on its line.
            if between:
                self._start_item(block, at)
            self._in_text = True
            return at + 1
        if byte == _COMMA:
            self._end_item(must_be=True)
            self._expects_item = True
            return at + 1
        if byte in _OPENING:
            if between:
                self._start_item(block, at)
            self._open.append(byte)
            return at + 1
        if self._open[-1] != _PARTNER[byte]:
            raise _BrokenError
        self._open.pop()
        if not self._open:
            self._close(block, at)
        elif len(self._open) == 1 and self._is_array:
            self._last_byte_end = self._base + at + 1
        return at + 1

    def _begin(self, block: bytes, at: int) -> None:
        self._open.append(block[at])
        if not self._is_array:
            self._start_item(block, at)

    def _close(self, block: bytes, at: int) -> None:
        if self._is_array:
            self._end_item(must_be=self._expects_item)
        else:
            self._last_byte_end = self._base + at + 1
            self._end_item(must_be=True)
        self._closed = True
        self._closed_line = self._line_at(block, at)

    def _another(self, block: bytes, at: int) -> None:
        """Something stands behind a value that is closed."""
        is_first = self._is_array or len(self._found.starts) == 1
        self._is_lines = is_first and self._closed_line == self._begin_line
        if not self._is_lines and (self._is_array or block[at] != _OBJECT):
            raise _BrokenError

    def _scalar(self, block: bytes, start: int, end: int) -> None:
        """Bytes between two items of an array: white space, or an item that is no object."""
        first = _NOT_SPACE.search(block, start, end)
        if first is None:
            return
        self._start_item(block, first.start())
        self._last_byte_end = self._base + start + len(block[start:end].rstrip(_SPACE))

    def _start_item(self, block: bytes, at: int) -> None:
        if self._item_start is None:
            self._item_start = (self._base + at, self._line_at(block, at))

    def _end_item(self, *, must_be: bool) -> None:
        if self._item_start is None:
            if must_be:
                raise _BrokenError
            return
        start, line = self._item_start
        self._found.add(start, self._last_byte_end, line)
        self._item_start = None
        self._expects_item = False

    def _line_at(self, block: bytes, at: int) -> int:
        self._line += block.count(b"\n", self._counted, at)
        self._counted = at
        return self._line


def _are_lines(head: bytes, begin: int, *, is_array: bool) -> bool:
    """Whether what is no whole JSON is lines with a damaged first one: most lines after it are objects."""
    first, *others = head[begin:].split(b"\n", _LINES_LOOKED_AT + 1)
    first = first.rstrip(_SPACE)
    if is_array and (first == b"[" or first.endswith(b",")):
        return False
    others = [line for line in others[:_LINES_LOOKED_AT] if line.strip()]
    good = sum(not isinstance(parse_line(line.removesuffix(b"\r")), LineFault) for line in others)
    return good * 2 > len(others)


def _pass_over(file: BinaryIO, count: int) -> None:
    while count > 0 and (piece := file.read(min(count, _BLOCK_BYTES))):
        count -= len(piece)


def _exactly(file: BinaryIO, count: int) -> bytes:
    pieces = []
    while count > 0 and (piece := file.read(count)):
        pieces.append(piece)
        count -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
