"""What is drawn for a person who watches: progress on standard error, tables on standard output.

In a pipe, a file or a dumb terminal nothing is drawn and a table is plain lines, without an escape
byte. rich is imported when something is drawn, and starts no thread: an engine forks its workers.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.contracts.untrusted import visible
from pipeline.platform import streams

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import Task, TaskID

_GAP = "  "
# Between the columns of a drawn table, the first that leaves room for the longest words.
_GAPS = (3, 2, 1)


def is_watched(number: int) -> bool:
    """Whether standard output or error is a terminal that can be drawn on."""
    stream = sys.stdout if number == streams.OUT else sys.stderr
    try:
        return stream is not None and stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
    except ValueError:
        return False


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows below their headings; a heading that begins with ``>`` has its cells on the right."""
    names = [column.removeprefix(">") for column in columns]
    right = [column.startswith(">") for column in columns]
    cells = [[visible(cell) for cell in row] for row in rows]
    if is_watched(streams.OUT):
        return _drawn_table(names, right, cells)
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    return "".join(_plain_row(row, widths, right) for row in (names, *cells))


def _plain_row(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    places = zip(row, widths, right, strict=True)
    padded = [cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in places]
    return _GAP.join(padded).rstrip() + "\n"


def _drawn_table(names: Sequence[str], right: Sequence[bool], rows: Sequence[Sequence[str]]) -> str:
    """Cells are wrapped between words alone: an id that is broken cannot be copied.

    Columns move together before that. Where even the longest words do not fit side by side, the table is
    wider than the terminal, which wraps its lines by itself and copies them whole.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console = _console(streams.OUT)
    gap, widths = _places(list(zip(names, *rows, strict=True)), console.width)
    console.width = max(console.width, sum(widths) + gap * (len(widths) - 1))
    # The box has one space between two columns.
    padding = (0, gap // 2, 0, (gap - 1) // 2)
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding)
    for name, to_right, width in zip(names, right, widths, strict=True):
        made.add_column(Text(name), justify="right" if to_right else "left", overflow="fold", width=width)
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    with console.capture() as captured:
        console.print(made)
    return captured.get()


def _places(columns: Sequence[Sequence[str]], room: int) -> tuple[int, list[int]]:
    """The gap between the columns, and the width of each: at least its longest word that a line can hold."""
    from rich.cells import cell_len

    liked = [max(map(cell_len, column)) for column in columns]
    sizes = [[cell_len(word) for cell in column for word in cell.split()] for column in columns]
    least = [max((size for size in each if size <= room), default=1) for each in sizes]
    between = len(columns) - 1
    gap = next((gap for gap in _GAPS if sum(least) + gap * between <= room), _GAPS[-1])
    spare = room - gap * between - sum(least)
    wished = [like - need for like, need in zip(liked, least, strict=True)]
    if sum(wished) > spare:
        wished = [max(0, spare) * wish // sum(wished) for wish in wished]
    return gap, [need + wish for need, wish in zip(least, wished, strict=True)]


class Progress:
    """One line on standard error that renews itself; whatever else is said takes its place."""

    def __init__(self) -> None:
        self._is_watched = is_watched(streams.ERR)
        self._live: tuple[RichProgress, TaskID] | None = None
        self._doing = ""

    def event(self, event: Mapping[str, Any], prefix: str = "") -> None:
        """Show a ``stage.progress`` event: rows, rate, and how much is left, where that is known."""
        rows, speed = event.get("rows_in") or 0, event.get("rows_per_second")
        said = f"{rows:,} rows{f', {speed:,.0f}/s' if speed else ''}"
        self.show(
            f"{prefix}{event.get('stage') or ''}", said, event.get("bytes_done"), event.get("bytes_total")
        )

    def checking(self, name: str, done: int, total: int) -> None:
        """Show which of several checks is at work, how many are done, and since when it works."""
        if self._is_watched:
            self.show("checks", f"{done} of {total} · {name} since {_clock()}", done, total)

    def show(self, doing: str, said: str = "", done: int | None = None, total: int | None = None) -> None:
        """``done`` of ``total`` gives the bar and the time that is left."""
        if not self._is_watched:
            return
        doing = visible(doing, 40)
        if self._live is None or doing != self._doing:
            self.erase()
            self._live, self._doing = _live_progress(doing), doing
            streams.erase_drawing = self.erase
        progress, task = self._live
        progress.update(task, completed=done or 0, total=total, said=visible(said, 60))
        progress.refresh()

    def erase(self) -> None:
        """Take the line away; the next ``show`` draws it again."""
        live, self._live = self._live, None
        streams.erase_drawing = None
        if live is not None:
            live[0].stop()


def _clock() -> str:
    """Of a thing that only a person sees: nothing that is written depends on it."""
    return time.strftime("%H:%M:%SZ", time.gmtime())


def _live_progress(doing: str) -> tuple[RichProgress, TaskID]:
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class TimeLeft(TimeRemainingColumn):
        def render(self, task: Task) -> Text:
            """Nothing where it is not known: dashes and colons say nothing."""
            return Text() if task.time_remaining is None else super().render(task)

    progress = RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.fields[said]}", markup=False),
        TimeLeft(),
        console=_console(streams.ERR),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    progress.start()
    return progress, progress.add_task(doing, total=None, said="")


def _console(number: int) -> Console:
    from rich.console import Console

    class SteadyConsole(Console):
        def show_cursor(self, show: bool = True) -> bool:
            """Never: a process that is killed could not bring it back."""
            return False

    stderr = number == streams.ERR
    return SteadyConsole(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=False)
