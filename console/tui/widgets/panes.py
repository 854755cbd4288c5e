"""A pane of the dashboard: asks the presentation for its view, and frames it."""

from __future__ import annotations

from textual import events
from textual.message import Message

from console.presentation.frame import PaneView, frame
from console.presentation.panes import pane_view
from console.state.view_state import ViewState
from console.tui.widgets.canvas import Canvas


class Pane(Canvas):
    """A framed canvas that scrolls when its lines do not fit."""

    class Clicked(Message):
        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, name: str) -> None:
        super().__init__(id=name, classes="pane")
        self._pane = name
        self.offset_lines = 0
        self.is_marked = False
        self._view: PaneView | None = None
        self._box = (0, 0)

    def draw(self, state: ViewState, now: float, width: int, height: int) -> None:
        """Draw for a box of ``width`` x ``height``, which the layout may be about to give."""
        self._box = (width, height)
        if width >= 4 and height >= 2:
            was_read = state.heard_at is not None
            self._view = pane_view(self._pane, state, now, width - 2, height - 2, was_read=was_read)
            self._frame()

    def scroll_lines(self, lines: int) -> None:
        """Scroll by ``lines``, no further than the last line."""
        if self._view is None:
            return
        most = max(0, len(self._view.lines) - (self._box[1] - 2))
        self.offset_lines = max(0, min(most, self.offset_lines + lines))
        self._frame()

    def mark(self, marked: bool) -> None:
        if marked != self.is_marked:
            self.is_marked = marked
            self._frame()

    def _frame(self) -> None:
        if self._view is not None:
            width, height = self._box
            self.show(frame(self._view, width, height, focused=self.is_marked, offset=self.offset_lines))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Clicked(self))
