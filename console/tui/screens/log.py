"""The event log on the whole screen, with a filter; follows the end unless scrolled away."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from console.presentation.event_log import log_line, matching, no_entries
from console.presentation.spans import Line, Span, line
from console.tui.screens.page import Page
from console.tui.widgets.canvas import one_line


class LogScreen(Page):
    place = "log"

    def __init__(self, filtering: bool = False) -> None:
        super().__init__()
        self.follows = True
        self._filtering = filtering
        self._filter = one_line("words that a line must contain; !word: must not", "filter")

    def extra_widgets(self) -> list[Widget]:
        return [self._filter]

    def on_mount(self) -> None:
        self._filter.display = self._filtering
        if self._filtering:
            self._filter.focus()
            self.call_after_refresh(self.draw)

    def hints(self) -> tuple[tuple[str, str], ...]:
        """While the filter is typed, the keys that it does not take for text."""
        return (("enter", "keep"), ("esc", "clear")) if self._filter.has_focus else super().hints()

    def trail(self) -> tuple[str, ...]:
        wanted = self._filter.value.strip()
        return ("Log", f"/{wanted}") if wanted else ("Log",)

    def page_lines(self, width: int) -> list[Line]:
        entries = matching(self.console.state.log, self._filter.value)
        if not entries:
            if self.console.state.log:
                return [line(Span(" no line matches the filter", "dim"))]
            return [no_entries(self.console.state.trouble)]
        return [log_line(entry, width) for entry in entries]

    def draw(self) -> None:
        if self.follows:
            self.first_line = 1_000_000  # the base class brings it back to the last page
        super().draw()

    def scroll_lines(self, lines: int) -> None:
        """Scrolling up stops following; reaching the end follows again."""
        self.follows = False
        super().scroll_lines(lines)
        self.follows = self.first_line >= self._count - self._body.size.height

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {**super().handlers(), "filter": self._open_filter, "back": self._back}

    def _open_filter(self) -> None:
        self._filter.display = True
        self._filter.focus()
        self.call_after_refresh(self.draw)

    def _back(self) -> None:
        """First out of the filter, then off the screen."""
        if self._filter.display:
            self._filter.value = ""
            self._close_filter()
        else:
            self.console.act("back")

    @on(Input.Submitted, "#filter")
    def _close_filter(self) -> None:
        self._filter.display = bool(self._filter.value.strip())
        self.set_focus(None)
        self.call_after_refresh(self.draw)

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self.follows = True
        self.draw()
