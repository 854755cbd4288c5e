"""The dashboard's body: places its canvases where ``presentation.arrangement`` says."""

from __future__ import annotations

from collections.abc import Callable

from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from console.presentation.arrangement import Box


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
