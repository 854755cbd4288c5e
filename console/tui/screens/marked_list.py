"""A page with a marked line: the base of every list that can be opened.

The mark stays on its item, and the item on its line of the screen, when the list changes: a
list never moves under the cursor. What reads the disk runs in a thread, one at a time.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar, NamedTuple

from console import keymap
from console.control.look_fault import KEPT, look_fault
from console.presentation.fault import fault_lines
from console.presentation.lines import Group, Item, heading, wrapped
from console.presentation.spans import EMPTY, Line, Span, line
from console.tui.screens.page import Page
from pipeline.contracts.faults import Fault
from pipeline.contracts.untrusted import visible

LOOK_SECONDS = 0.5
_OF_A_LINE = ("open", "mark", "trace", "incident.page", "incident.export", "undo.command")


class Row(NamedTuple):
    """A line of the list. ``key`` names what it stands for; None for a heading."""

    key: str | None
    spans: Line


def with_cursor(spans: Line) -> Line:
    """A line as the marked one: the cursor in its first cell, its plain text bright."""
    first, *rest = spans
    bright = tuple(
        Span(span.text, "strong" if span.role == "text" else span.role)
        for span in (Span(first.text[1:], first.role), *rest)
    )
    return (Span("►", "cursor"), *bright)


def not_readable(trouble: str, failed: Fault | None, width: int) -> list[Line]:
    """What stands in place of a list that may be empty only because nothing can be read."""
    fault = failed or Fault(
        "not_readable", trouble, KEPT, "It is read again every two seconds; r reads it now."
    )
    _, kept_safe, do_next = fault.as_lines()
    return [
        EMPTY,
        *wrapped(line(" ", Span("? unknown", "warn"), "  "), trouble, width),
        *(part for text in (kept_safe, do_next) for part in _told(text, width)),
    ]


def _told(text: str, width: int) -> list[Line]:
    """Its label under the mark, its words under the words."""
    label, words = text[:11].strip(), text[11:].strip()
    return wrapped(line(Span(f" {label:<11}", "dim")), words, width)


def grouped_rows(groups: Iterable[Group[Item]], width: int, row_of: Callable[[Item], Row]) -> Iterator[Row]:
    """A heading for each group, and a row for each of its items."""
    for group in groups:
        yield Row(None, heading(group.title, width, group.role))
        yield from map(row_of, group.items)


class MarkedList(Page):
    """Subclasses give ``rows``; those with a key can be marked and opened."""

    looks: ClassVar[bool] = True
    """Whether ``look`` is asked again and again."""
    first_hints: ClassVar[tuple[str, ...]] = ("open",)
    kept_on_paging: ClassVar[int] = 3

    def __init__(self) -> None:
        super().__init__()
        self.marked: str | None = None
        self._rows: list[Row] = []
        self._looking = False
        self._look_failed: Fault | None = None

    # What subclasses give

    @abstractmethod
    def rows(self, width: int) -> Sequence[Row]:
        """Every line, headings included. The first cell is the cursor's."""

    def head_lines(self, width: int) -> list[Line]:
        """Lines that stay above the list."""
        return []

    def look(self) -> None:
        """Read what the list shows. Runs in a thread; may block."""

    def open_marked(self, key: str) -> None:
        """Enter, on an item."""

    def with_marked(self, then: Callable[[str], None]) -> None:
        """Do something to the marked item, where one is."""
        if self.marked is not None:
            then(self.marked)

    def page_lines(self, width: int) -> list[Line]:
        return [*self.head_lines(width), *(row.spans for row in self.rows(width))]

    # Looking

    def on_mount(self) -> None:
        self.look_again()
        if self.looks:
            self.set_interval(LOOK_SECONDS, self.look_again)

    def look_again(self) -> None:
        if not self._looking:
            self._looking = True
            self.run_worker(self._look(), name="look", exit_on_error=False)

    async def _look(self) -> None:
        try:
            await asyncio.to_thread(self.look)
            self._look_failed = None
        except Exception as error:  # noqa: BLE001 (whatever it is, a list that cannot be read says so)
            self._look_failed = look_fault(error, "This list")
        finally:
            self._looking = False
        # Only what is on top is drawn, a page about one of our items perhaps. A screen that is drawn
        # beneath another makes Textual repaint the whole terminal from then on, over and over.
        if isinstance(self.app.screen, Page):
            self.app.screen.draw()

    # Drawing

    def draw(self) -> None:
        width, height = self._body.size
        if width == 0:
            return
        before, failed = self._position(), self._look_failed
        trouble = failed.what_happened if failed is not None else self.console.state.trouble
        head, self._rows = self.head_lines(width), list(self.rows(width))
        if trouble and not any(row.key for row in self._rows):
            # Nothing was found because nothing can be read, which is not what an empty list says.
            head, self._rows = [], [Row(None, spans) for spans in not_readable(trouble, failed, width)]
        elif failed is not None:
            # What was read before stays, and is not passed off as new.
            head = [*head, line(Span(" ! not renewed", "warn")), *fault_lines(failed, width)]
        room = max(1, height - len(head))
        self._count = len(self._rows)
        position = self._position()
        if before is not None and position is not None:
            self.first_line += position - before
        self._show_marked(room)
        shown = [self._with_cursor(row) for row in self._rows[self.first_line : self.first_line + room]]
        lines = [*head, *shown]
        self._body.show(lines + [EMPTY] * (height - len(lines)))
        self.draw_edges(self.place_words())

    def place_words(self) -> str:
        """Where in the list we are, for the breadcrumb line."""
        keys = [row.key for row in self._rows if row.key is not None]
        return f"{keys.index(self.marked) + 1} of {len(keys)}" if self.marked in keys else ""

    def _position(self) -> int | None:
        return next((at for at, row in enumerate(self._rows) if row.key == self.marked and row.key), None)

    def _show_marked(self, room: int) -> None:
        """Mark the first item where none is marked, and scroll so far that the mark is seen."""
        position = self._position()
        if position is None:
            position = next((at for at, row in enumerate(self._rows) if row.key is not None), None)
            self.marked = self._rows[position].key if position is not None else None
        if position is not None:
            top = position - 1 if position and self._rows[position - 1].key is None else position
            self.first_line = max(position - room + 1, min(self.first_line, top))
        self.first_line = max(0, min(self.first_line, len(self._rows) - room))

    def _with_cursor(self, row: Row) -> Line:
        if row.key is None or row.key != self.marked:
            return row.spans
        return with_cursor(row.spans)

    # Keys

    def step(self, items: int) -> None:
        """Move the mark by so many items, no further than the ends."""
        beside = self.beside(items)
        if beside is not None:
            self.marked = beside
            self._rows = []  # the mark moved, not the list: the list keeps its place
            self.draw()

    def beside(self, items: int) -> str | None:
        """The item so many places after the marked one, the last one at most; None without any."""
        keys = [row.key for row in self._rows if row.key is not None]
        at = keys.index(self.marked) if self.marked in keys else 0
        return keys[max(0, min(len(keys) - 1, at + items))] if keys else None

    def hints(self) -> tuple[tuple[str, str], ...]:
        """Without a marked line, no key that needs one."""
        needs_one = {keymap.BY_ID[name].hint for name in _OF_A_LINE} if self.marked is None else set()
        return tuple(hint for hint in super().hints() if hint[1] not in needs_one)

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {
            **super().handlers(),
            "open": lambda: self.with_marked(self.open_marked),
            "refresh": self._refresh,
            "symptom.previous": lambda: self.step(-1),
            "symptom.next": lambda: self.step(1),
        }

    def _refresh(self) -> None:
        self.look_again()
        self.console.act("refresh")

    def text_to_copy(self) -> str | None:
        """What the marked item is called."""
        return visible(self.marked) if self.marked else None
