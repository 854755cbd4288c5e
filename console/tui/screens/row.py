"""One row: its JSON laid out, long texts folded; ``t`` traces it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson

from console.presentation.row_page import row_lines
from console.presentation.spans import Line
from console.tui.screens.page import Page


class RowScreen(Page):
    """``line`` is None where it is not counted yet; ``raw`` is what was read when it was opened."""

    place = "row"

    def __init__(self, root: Path, relative: str, line: int | None, raw: bytes) -> None:
        super().__init__()
        self._root, self._relative, self._line, self._raw = root, relative, line, raw
        self._unfolded = False
        self._laid_out: tuple[int, bool, list[Line]] = (0, False, [])

    def trail(self) -> tuple[str, ...]:
        place = self._relative if self._line is None else f"{self._relative}:{self._line}"
        return ("Rows", place)

    def page_lines(self, width: int) -> list[Line]:
        known_width, unfolded, lines = self._laid_out
        if (known_width, unfolded) != (width, self._unfolded):
            lines = row_lines(self._raw, width, unfolded=self._unfolded)
            self._laid_out = (width, self._unfolded, lines)
        return lines

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {**super().handlers(), "unfold": self._unfold, "trace": self._trace}

    def _unfold(self) -> None:
        self._unfolded = not self._unfolded
        self.draw()

    def _trace(self) -> None:
        from console.tui.screens.lineage import trace_row

        try:
            row = orjson.loads(self._raw)
        except orjson.JSONDecodeError:
            row = None
        known = row if isinstance(row, dict) else None
        trace_row(self.console, self._root, self._relative, self._line, known)

    def text_to_copy(self) -> str | None:
        return self._raw.decode("utf-8", "backslashreplace")
