"""Rows of one file: a page at a time, whatever its size; find a text, open a row, trace it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import ClassVar

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from console.presentation.counts import count
from console.presentation.row_list import bytes_in_words, head_line, number_cells, parsed, row_line
from console.presentation.spans import EMPTY, Line, Span, line
from console.reading.row_file import LineIndex, RawRow, RowFile, needles_for
from console.reading.row_files import kind_of
from console.tui.host import Host
from console.tui.screens.marked_list import with_cursor
from console.tui.screens.page import Page
from console.tui.widgets.canvas import one_line
from pipeline.contracts.untrusted import visible

COUNT_AGAIN_SECONDS = 1.0


def open_rows(console: Host, root: Path, relative: str, offset: int | None = None) -> None:
    """Open a file of rows at a row, or say why it cannot be opened."""
    try:
        file = RowFile(root / relative)
    except (OSError, ValueError) as error:
        console.say(f"{relative} cannot be opened: {error}", "warning")
        return
    console.open("rows", root, relative, file, offset or 0)


class RowsScreen(Page):
    """``file`` stays open, and stays this file, until the screen is left."""

    place = "rows"
    first_hints: ClassVar[tuple[str, ...]] = ("open", "trace", "filter", "back")

    def __init__(self, root: Path, relative: str, file: RowFile, offset: int = 0) -> None:
        super().__init__()
        self._root, self.relative, self.file = root, relative, file
        self.kind = kind_of(relative)
        self.index = LineIndex(file)
        self.page: list[RawRow] = []
        self.marked = 0
        self._first_offset = offset
        self._lines_drawn: dict[int, tuple[tuple[int | None, int, int, int], Line]] = {}
        self._stop_counting = Event()
        self._stop_search = Event()
        self._searching_at: int | None = None
        self._wanted = ""
        self._found_before: list[int] = []
        self._input = one_line("a text to find, from the marked row on", "filter")

    def extra_widgets(self) -> list[Widget]:
        return [self._input]

    def on_mount(self) -> None:
        self._input.display = False
        self._start_counting()
        self.set_interval(COUNT_AGAIN_SECONDS, self._look_for_growth)

    def on_unmount(self) -> None:
        self._stop_counting.set()
        self._stop_search.set()

    def _start_counting(self) -> None:
        self.run_worker(self._count_lines(), name="count", group="count", exclusive=True, exit_on_error=False)

    async def _count_lines(self) -> None:
        await asyncio.to_thread(self.index.extend, self._stop_counting)
        self.draw()

    def _look_for_growth(self) -> None:
        if self.file.refresh() and self.index.lines is not None:
            self._start_counting()

    # Drawing

    @property
    def _cells(self) -> int:
        return number_cells(self.index.lines, self.file.size)

    @property
    def _room(self) -> int:
        return max(1, self._body.size.height - 1)

    def draw(self) -> None:
        width, height = self._body.size
        if width == 0:
            return
        if not self.page and self.file.size:
            self._show_row(self._first_offset)
        elif len(self.page) < self._room or len(self.page) > self._room:
            self.page = self.file.after(self.page[0].offset, self._room) if self.page else []
        self.marked = max(0, min(self.marked, len(self.page) - 1))
        lines = [head_line(self.kind, self._wanted, width, self._cells)]
        self._lines_drawn = {raw.offset: self._line_of(raw, width) for raw in self.page}
        for at, raw in enumerate(self.page):
            _, spans = self._lines_drawn[raw.offset]
            lines.append(with_cursor(spans) if at == self.marked else spans)
        if not self.page:
            lines.append(line(Span(" - this file has no rows", "dim")))
        self._body.show(lines[:height] + [EMPTY] * (height - len(lines)))
        self.draw_edges(self._place_words(), self._notice())

    def _line_of(self, raw: RawRow, width: int) -> tuple[tuple[int | None, int, int, int], Line]:
        """The row's line, made once: a row may be long, and the screen is drawn every second."""
        looks_like = (self.index.line_of(raw.offset), raw.length, width, self._cells)
        known = self._lines_drawn.get(raw.offset)
        if known is not None and known[0] == looks_like:
            return known
        return looks_like, row_line(raw, looks_like[0], self.kind, width, self._cells)

    def _notice(self) -> str:
        if self._searching_at is not None:
            share = self._searching_at / max(1, self.file.size)
            return f"searching, {share:.0%} of {bytes_in_words(self.file.size)}; esc stops"
        if self.console.notice:
            return self.console.notice
        if self.file.is_replaced:
            return "~ this file was replaced since it was opened; r opens the new one"
        return ""

    def _place_words(self) -> str:
        if not self.page:
            return ""
        number = self.index.line_of(self.page[self.marked].offset)
        if self.index.lines is None:
            share = self.index.known_bytes / max(1, self.file.size)
            return f"counting {share:.0%} of {bytes_in_words(self.file.size)}"
        return f"{count(number)} of {count(self.index.lines)}"

    def trail(self) -> tuple[str, ...]:
        return ("Rows", self.relative)

    def page_lines(self, width: int) -> list[Line]:
        return []

    # Moving

    @property
    def marked_row(self) -> RawRow | None:
        return self.page[self.marked] if self.page else None

    def _show_row(self, offset: int) -> None:
        """A page with the row at ``offset`` on it, at the top unless the file ends before."""
        row = self.file.row_at(min(offset, max(0, self.file.size - 1)))
        self.page = self.file.after(row.offset if row is not None else 0, self._room)
        if len(self.page) < self._room and self.page:
            missing = self._room - len(self.page)
            before = self.file.before(self.page[0].offset, missing)
            self.page, self.marked = before + self.page, len(before)
        else:
            self.marked = 0

    def _down(self) -> None:
        if self.marked < len(self.page) - 1:
            self.marked += 1
        elif self.page and (more := self.file.after(self.page[-1].end, 1)):
            self.page = [*self.page[1:], *more] if len(self.page) >= self._room else [*self.page, *more]
            self.marked = len(self.page) - 1
        self.draw()

    def _up(self) -> None:
        if self.marked > 0:
            self.marked -= 1
        elif self.page and (more := self.file.before(self.page[0].offset, 1)):
            self.page = [*more, *self.page][: self._room]
        self.draw()

    def _page_down(self) -> None:
        more = self.file.after(self.page[-1].end, self._room) if self.page else []
        if len(more) == self._room:
            self.page = more
        else:
            self.page = self.file.last(self._room)
            self.marked = len(self.page) - 1
        self.draw()

    def _page_up(self) -> None:
        more = self.file.before(self.page[0].offset, self._room) if self.page else []
        if len(more) == self._room:
            self.page = more
        else:
            self._top()
        self.draw()

    def _top(self) -> None:
        self.page, self.marked = self.file.after(0, self._room), 0
        self.draw()

    def _bottom(self) -> None:
        self.file.refresh()
        self.page = self.file.last(self._room)
        self.marked = len(self.page) - 1
        self.draw()

    def go_to(self, offset: int) -> None:
        self._show_row(offset)
        self.draw()

    # Finding

    def hints(self) -> tuple[tuple[str, str], ...]:
        """Rows are found, not filtered; while the text is typed, the keys that it does not take."""
        if self._input.has_focus:
            return (("enter", "find"), ("esc", "back"))
        return tuple((key, "find" if word == "filter" else word) for key, word in super().hints())

    def _open_filter(self) -> None:
        self._input.display = True
        self._input.focus()
        self.call_after_refresh(self.draw)

    @on(Input.Submitted, "#filter")
    def _asked(self) -> None:
        self._wanted = self._input.value
        self._close_filter()
        self._found_before = []
        self._find(include_marked=True)

    def _close_filter(self) -> None:
        self._input.display = False
        self.set_focus(None)
        self.call_after_refresh(self.draw)

    def _find(self, *, include_marked: bool = False) -> None:
        row = self.marked_row
        if not self._wanted:
            self._open_filter()
        elif row is not None and self._searching_at is None:
            start = row.offset if include_marked else row.end
            self._stop_search = Event()
            self._searching_at = start
            self.run_worker(self._search(start, self._stop_search), name="search", exit_on_error=False)

    def _nothing_found(self, start: int) -> str:
        return f"no{' further' if start else ''} match for {visible(self._wanted, 60)}"

    async def _search(self, start: int, stop: Event) -> None:
        def told(at: int) -> None:
            self._searching_at = at

        needles = needles_for(self._wanted)
        try:
            found = await asyncio.to_thread(self.file.find, needles, start, stop, told)
        finally:
            self._searching_at = None
        if found is not None:
            here = self.marked_row
            self._found_before += [here.offset] if here is not None else []
            self.go_to(found)
        else:
            self.console.say("the search was stopped" if stop.is_set() else self._nothing_found(start))

    def _find_back(self) -> None:
        if self._found_before:
            self.go_to(self._found_before.pop())
        else:
            self.console.say("no match before this one")

    # Keys

    def beside_word(self) -> str:
        return "match" if self._wanted else ""

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {
            "up": self._up,
            "down": self._down,
            "page_up": self._page_up,
            "page_down": self._page_down,
            "top": self._top,
            "bottom": self._bottom,
            "open": self._open,
            "trace": self._trace,
            "filter": self._open_filter,
            "symptom.next": self._find,
            "symptom.previous": self._find_back,
            "refresh": self._refresh,
            "back": self._back,
        }

    def _back(self) -> None:
        """First out of the search, then off the screen."""
        if self._searching_at is not None:
            self._stop_search.set()
        elif self._input.display:
            self._close_filter()
        else:
            self.console.act("back")

    def _refresh(self) -> None:
        """Another file under this name is opened anew; the same one is looked at again."""
        if self.file.is_replaced:
            self.app.pop_screen()
            open_rows(self.console, self._root, self.relative)
        else:
            self._look_for_growth()
            self.console.act("refresh")

    def _open(self) -> None:
        if self.marked_row is not None:
            number = self.index.line_of(self.marked_row.offset)
            raw = self.file.whole(self.marked_row)
            self.console.open("row", self._root, self.relative, number, raw)

    def _trace(self) -> None:
        from console.tui.screens.row import trace_row

        if self.marked_row is not None:
            number = self.index.line_of(self.marked_row.offset)
            trace_row(self.console, self._root, self.relative, number, parsed(self.marked_row))

    def text_to_copy(self) -> str | None:
        """The id of the marked row, else its bytes as text."""
        row = self.marked_row
        if row is None:
            return None
        members = parsed(row) or {}
        found = next((members[name] for name in ("id", "run_id") if isinstance(members.get(name), str)), None)
        return visible(found or row.head.decode("utf-8", "backslashreplace"))
