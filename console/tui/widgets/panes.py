"""The six panes of the dashboard: each asks the presentation for its view and frames it."""

from __future__ import annotations

from abc import abstractmethod

from textual import events
from textual.message import Message

from console.presentation.drift import drift_pane
from console.presentation.event_log import log_pane
from console.presentation.firewall import firewall_pane
from console.presentation.frame import PaneView, frame
from console.presentation.phases import phases_pane
from console.presentation.row_counts import rows_pane
from console.presentation.runs import runs_pane
from console.state.view_state import ViewState
from console.tui.widgets.canvas import Canvas


def _was_read(state: ViewState) -> bool:
    return state.heard_at is not None


class Pane(Canvas):
    """A framed canvas that scrolls when its lines do not fit."""

    class Clicked(Message):
        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, name: str) -> None:
        super().__init__(id=name, classes="pane")
        self.offset_lines = 0
        self.is_marked = False
        self._view: PaneView | None = None
        self._box = (0, 0)

    @abstractmethod
    def view(self, state: ViewState, now: float, width: int, height: int) -> PaneView:
        """What the pane shows inside a frame of ``width`` x ``height`` cells."""

    def draw(self, state: ViewState, now: float, width: int, height: int) -> None:
        """Draw for a box of ``width`` x ``height``, which the layout may be about to give."""
        self._box = (width, height)
        if width >= 4 and height >= 2:
            self._view = self.view(state, now, width - 2, height - 2)
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


class FirewallAlarm(Pane):
    def view(self, state: ViewState, now: float, width: int, height: int) -> PaneView:
        return firewall_pane(state.firewall, now, width)


class RowCountsPane(Pane):
    def view(self, state: ViewState, now: float, width: int, height: int) -> PaneView:
        return rows_pane(state.rows, now, width, height, was_read=_was_read(state))


class PhaseTable(Pane):
    def view(self, state: ViewState, now: float, width: int, height: int) -> PaneView:
        return phases_pane(state.phases, now, width, height, was_read=_was_read(state))


class DriftTable(Pane):
    def view(self, state: ViewState, now: float, width: int, height: int) -> PaneView:
        return drift_pane(state.drift, now, width, height, was_read=_was_read(state))


class RunList(Pane):
    def view(self, state: ViewState, now: float, width: int, height: int) -> PaneView:
        return runs_pane(state.runs, now, width, height)


class EventLogPane(Pane):
    def view(self, state: ViewState, now: float, width: int, height: int) -> PaneView:
        return log_pane(state.log, width, height)
