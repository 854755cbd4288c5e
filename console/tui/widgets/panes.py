"""The dashboard's body: places its canvases where ``presentation.arrangement`` says, and frames its panes."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.message import Message
from textual.widget import Widget

from console.presentation.arrangement import Box
from console.presentation.frame import PaneView, frame
from console.presentation.panes import pane_view
from console.state.view_state import ViewState
from console.tui.widgets.canvas import Canvas

_TALL = 1_000


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
        self._zoomed = False
        self._box = (0, 0)

    def draw(self, state: ViewState, now: float, width: int, height: int, *, zoomed: bool = False) -> None:
        """Draw for a box of ``width`` x ``height``, which the layout may be about to give."""
        self._box = (width, height)
        self._zoomed = zoomed
        if width >= 4 and height >= 2:
            was_read = state.heard_at is not None
            self._view = pane_view(self._pane, state, now, width - 2, height - 2, was_read=was_read)
            self._frame()

    def wants(self, state: ViewState, now: float, width: int) -> int:
        """How high it would be if it showed all, in a frame ``width`` cells wide."""
        was_read = state.heard_at is not None
        return pane_view(self._pane, state, now, width - 2, _TALL, was_read=was_read).wants

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
            self.show(
                frame(
                    self._view,
                    width,
                    height,
                    focused=self.is_marked,
                    offset=self.offset_lines,
                    zoomed=self._zoomed,
                )
            )

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Clicked(self))


class _BoxLayout(Layout):
    """A layout that asks for boxes by id; a widget without a box is not on the screen."""

    name = "boxes"

    def __init__(self, boxes: Callable[[Size], dict[str, Box]]) -> None:
        self._boxes = boxes

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        boxes = self._boxes(size)
        return [
            WidgetPlacement(Region(*boxes[child.id]), NULL_OFFSET, NULL_SPACING, child)
            for child in children
            if child.id in boxes
        ]


class Board(Widget):
    """Holds the canvases. ``boxes`` says where each stands for a size of the board."""

    def __init__(self, *children: Widget, boxes: Callable[[Size], dict[str, Box]]) -> None:
        super().__init__(*children, id="board")
        self._box_layout = _BoxLayout(boxes)

    @property
    def layout(self) -> Layout:
        """Boxes, whatever the style sheet says: styles know layouts by name only."""
        return self._box_layout

    def arrange_again(self) -> None:
        """Ask for the boxes anew: the band grew, or a pane was zoomed.

        A widget's own arrangement is kept until one of its children asks for a layout.
        """
        self.children[0].refresh(layout=True)
