"""One row: its JSON laid out, long texts folded; ``t`` traces it, down to the bytes of its source line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import orjson

from console.presentation.row_page import link_line, link_lines, row_lines, verdict_line, word_lines
from console.presentation.spans import EMPTY, Line, Span, line
from console.reading.lineage_query import Lineage, ask, asked_of
from console.reading.row_file import RowFile
from console.tui.host import Host
from console.tui.screens.marked_list import MarkedList, Row
from console.tui.screens.page import Page
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.shell_words import joined
from pipeline.contracts.untrusted import visible
from pipeline.platform.lenient_json import inside


class RowScreen(Page):
    """``line`` is None where it is not counted yet; ``raw`` is what was read when it was opened."""

    place = "row"

    def __init__(self, root: Path, relative: str, line: int | None, raw: bytes) -> None:
        super().__init__()
        self._root, self._relative, self._line, self._raw = root, relative, line, raw
        self._unfolded = False
        self._laid_out: tuple[int, bool, list[Line]] = (0, False, [])
        self._folds: bool | None = None

    def trail(self) -> tuple[str, ...]:
        place = self._relative if self._line is None else f"{self._relative}:{self._line}"
        return ("Rows", place)

    def page_lines(self, width: int) -> list[Line]:
        known_width, unfolded, lines = self._laid_out
        if (known_width, unfolded) != (width, self._unfolded):
            lines = row_lines(self._raw, width, unfolded=self._unfolded)
            self._laid_out = (width, self._unfolded, lines)
        return lines

    def idle(self) -> tuple[str, ...]:
        """A short row has nothing to unfold."""
        if self._folds is None:
            width = self._laid_out[0]
            folded, whole = (row_lines(self._raw, width, unfolded=each) for each in (False, True))
            self._folds = folded != whole
        return () if self._folds else ("unfold",)

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {**super().handlers(), "unfold": self._unfold, "trace": self._trace}

    def _unfold(self) -> None:
        self._unfolded = not self._unfolded
        self.draw()

    def _trace(self) -> None:

        try:
            row = orjson.loads(self._raw)
        except orjson.JSONDecodeError:
            row = None
        known = row if isinstance(row, dict) else None
        trace_row(self.console, self._root, self._relative, self._line, known)

    def text_to_copy(self) -> str | None:
        return self._raw.decode("utf-8", "backslashreplace")


def trace_row(
    console: Host, root: Path, relative: str, number: int | None, row: Mapping[str, Any] | None
) -> None:
    """Open the lineage of a row, or say why there is none to ask for."""
    asked = asked_of(relative, number, row)
    if asked is None:
        console.say("this row has no id, and its line is not counted yet")
    else:
        console.open("lineage", root, asked)


class LineageScreen(MarkedList):
    """Asks once, when it opens, and again on ``r``."""

    place = "lineage"
    looks: ClassVar[bool] = False

    def __init__(self, root: Path, asked: str) -> None:
        super().__init__()
        self._root, self._asked = root, asked
        self.lineage: Lineage | None = None

    def on_mount(self) -> None:
        self._ask_again()

    def _ask_again(self) -> None:
        self.run_worker(self._ask(), name="lineage", exclusive=True, exit_on_error=False)

    async def _ask(self) -> None:
        try:
            self.lineage = await ask(self._root, self._asked)
        except OperatorError as error:
            self.lineage = Lineage(self._asked, trouble=(error.fault.what_happened, error.fault.do_next))
        except OSError as error:
            self.lineage = Lineage(self._asked, trouble=(f"the engine cannot be started: {error}",))
        self.draw()

    def trail(self) -> tuple[str, ...]:
        return ("Lineage", self._asked)

    def head_lines(self, width: int) -> list[Line]:
        if self.lineage is None:
            return [line(Span(" » asking the engine; files are read to their end", "accent")), EMPTY]
        return [verdict_line(self.lineage), EMPTY]

    def rows(self, width: int) -> Sequence[Row]:
        lineage = self.lineage
        if lineage is None:
            return []
        rows = [Row(None, line(Span(f"   {visible(text)}", "warn"))) for text in lineage.trouble]
        for at, link in enumerate(lineage.links):
            rows += [Row(None, spans) for spans in link_lines(link, width, first=at == 0)]
            rows.append(Row(str(at) if link.file else None, link_line(link)))
            rows += [Row(None, spans) for spans in word_lines(link, width)]
        return rows

    def _refresh(self) -> None:
        self._ask_again()

    def open_marked(self, key: str) -> None:
        assert self.lineage is not None  # noqa: S101 (what is marked came from it)
        link = self.lineage.links[int(key)]
        found = plain_row(self._root, link.file, link.byte_offset)
        if found is None and not link.text:
            self.console.say(f"{link.file} cannot be read from here")
            return
        shown = found[2] if found is not None else link.text.encode("utf-8", "surrogatepass")
        self.console.open("row", self._root, link.file, link.line, shown)

    def text_to_copy(self) -> str | None:
        return visible(self._asked)

    def command_to_copy(self) -> str | None:
        root = str(self._root)
        return joined(("distill", "lineage", "-C", root, "--", self._asked))


_COMPRESSED = (".gz", ".zst")


def plain_row(root: Path, file_name: str, offset: int | None) -> tuple[str, int, bytes] | None:
    """The file, offset and bytes of a row that begins there, in a plain file of this workspace."""
    relative = inside(file_name)
    if relative is None or offset is None or relative.suffix in _COMPRESSED:
        return None
    try:
        file = RowFile(root / relative)
    except (OSError, ValueError):
        return None
    try:
        row = file.row_at(offset)
        if row is None or row.offset != offset:
            return None
        return str(relative), offset, file.whole(row)
    finally:
        file.close()
