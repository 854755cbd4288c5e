"""The skips of a workspace counted by stream and reason, with the first examples of each.

The file may hold millions of lines: it is read in a thread, in pieces, and what is counted so
far can be shown meanwhile. Only counts and a few offsets are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Event

import orjson

from console.reading.row_file import SCAN_BYTES, RowFile
from pipeline.contracts import paths
from pipeline.platform.lenient_json import count_of, text_of
from pipeline.reading import reach

EXAMPLES = 5
MOST_GROUPS = 500


@dataclass(frozen=True, slots=True)
class SkipExample:
    """One skip: where its row stands, and the source line that was left out."""

    row_offset: int
    file: str
    line: int | None
    byte_offset: int | None
    detail: str


@dataclass(slots=True)
class SkipGroup:
    stream: str
    reason: str
    rows: int = 0
    examples: tuple[SkipExample, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.reason}\0{self.stream}"


class SkipTally:
    """``count`` reads on from where it stopped, and from the start when the file was replaced."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = root / paths.DISTILLATION_SKIPS
        self._identity: tuple[int, int] | None = None
        self._clear()

    def _clear(self) -> None:
        self._offset = 0
        self.groups: dict[tuple[str, str], SkipGroup] = {}
        self.rows = 0
        self.garbage = 0
        self.file_bytes = 0
        self.trouble = ""
        self.was_read = self.is_missing = False

    @property
    def counted_share(self) -> float:
        return self._offset / self.file_bytes if self.file_bytes else 1.0

    def count(self, stop: Event) -> None:
        """Count to the end of the file as it is now, or until stopped. Never raises for what is in it."""
        try:
            found = self._path.stat()
            file = RowFile(self._path)
        except FileNotFoundError:
            self._clear()
            self.was_read = self.is_missing = True
            return
        except OSError as error:
            self.trouble, self.was_read = reach.in_words(error, self._root), True
            return
        except ValueError as error:
            self.trouble, self.was_read = str(error), True
            return
        self.trouble = ""
        try:
            identity = (found.st_dev, found.st_ino)
            if identity != self._identity or file.size < self._offset:
                self._clear()
                self._identity = identity
            self.file_bytes = file.size
            self._count_on(file, stop)
            self.was_read = True
        finally:
            file.close()

    def _count_on(self, file: RowFile, stop: Event) -> None:
        while self._offset < file.size and not stop.is_set():
            block = file.read(self._offset, SCAN_BYTES)
            end = block.rfind(b"\n") + 1
            if end == 0:
                row = file.after(self._offset, 1)
                if not row or row[0].torn:
                    return  # a torn tail is counted when it is whole
                self.garbage += 1
                self._offset = row[0].end
                continue
            at = self._offset
            for raw in block[: end - 1].split(b"\n"):
                self._add(raw, at)
                at += len(raw) + 1
            self._offset += end

    def _add(self, raw: bytes, offset: int) -> None:
        try:
            row = orjson.loads(raw)
        except orjson.JSONDecodeError:
            row = None
        stream, reason = text_of(row, "stream"), text_of(row, "reason")
        if stream is None or reason is None:
            self.garbage += 1
            return
        self.rows += 1
        group = self.groups.get((stream, reason))
        if group is None:
            if len(self.groups) >= MOST_GROUPS:
                stream, reason = "(more)", "(more)"
            group = self.groups.setdefault((stream, reason), SkipGroup(stream, reason))
        group.rows += 1
        if len(group.examples) < EXAMPLES:
            example = SkipExample(
                offset,
                text_of(row, "file") or "",
                count_of(row, "line"),
                count_of(row, "byte_offset"),
                text_of(row, "detail") or "",
            )
            group.examples = (*group.examples, example)
