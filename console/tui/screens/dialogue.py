"""The base of dialogues: a box over a screen, deaf to keys typed before it was seen.

Over a slow link a key may have been typed long before the dialogue that it reaches was drawn.
So keys are dropped until the box has been on the screen for a moment; text for a marked field is kept, since
it waits there, in plain sight, for an enter that is not typed ahead.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget

from console.presentation.spans import EMPTY, Line, Span, line, spread
from console.tui.host import Host
from console.tui.screens.base import ConsoleScreen
from console.tui.widgets.canvas import Canvas
from pipeline.contracts.plurals import plural

DEAF_SECONDS = 0.3
Result = TypeVar("Result")


class Dialogue(ModalScreen[Result]):
    """Subclasses say what is read, and answer with ``dismiss``; escape and a lost link both mean no.

    The app drops the keys that the dialogue on top does not take.
    """

    AUTO_FOCUS: ClassVar[str | None] = ""
    waits_for_eyes: ClassVar[bool] = True
    heading: str
    hints: ClassVar[tuple[tuple[str, str], ...]] = (("esc", "back"),)
    """What the key line of the screen below says meanwhile; none where the box itself has its keys."""

    def __init__(self) -> None:
        super().__init__()
        self._seen_at: float | None = None
        self._has_answered = False
        self._first_line = self._hidden = 0
        self._rows = 1
        self.body = Canvas(id="text")
        # Below this width a box with room around it would leave slivers of words beside it.
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (130, "-wide")]

    def told_lines(self, width: int) -> list[Line]:
        """What is read first. It scrolls where the screen is lower than the text."""
        return []

    @abstractmethod
    def body_lines(self, width: int) -> list[Line]:
        """What stands beneath it and is always whole: the question, the keys."""

    def parts(self) -> Iterable[Widget]:
        """What stands in the box, from the top down."""
        yield self.body

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self.heading
            yield from self.parts()

    @property
    def console(self) -> Host:
        return cast(Host, self.app)

    def on_mount(self) -> None:
        below = self.app.screen_stack[-2]
        if isinstance(below, ConsoleScreen):
            below.show_hints(self.hints)
        self.call_after_refresh(self._was_drawn)

    def _was_drawn(self) -> None:
        self._seen_at = self.console.monotonic()

    @property
    def listens(self) -> bool:
        if not self.waits_for_eyes:
            return True
        return self._seen_at is not None and self.console.monotonic() - self._seen_at >= DEAF_SECONDS

    def takes(self, event: events.Key | events.Paste) -> bool:
        """Whether a key that arrives now is meant for this dialogue."""
        return self.listens

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Once: what comes behind the answer answers nothing, here or below."""
        if self._has_answered:
            return AwaitComplete()
        self._has_answered = True
        if self.waits_for_eyes:
            self.console.drop_keys_so_far()
        return super().dismiss(result)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Bring the box to the app's state."""
        width = self.body.size.width or 60
        asked = self.body_lines(width)
        lines = [*self._window(self.told_lines(width), width, self._most_rows() - len(asked)), *asked]
        self.body.styles.height = len(lines)
        self.body.show(lines)

    def scroll_pages(self, pages: int) -> None:
        """What is told, further down or up; ``draw`` keeps it within the text."""
        self._first_line += pages * max(1, self._rows - 1)
        self.draw()

    @property
    def scrolls(self) -> bool:
        return self._hidden > 0

    def _most_rows(self) -> int:
        """Within the frame, and where there is room with a line of the screen around it."""
        height = self.size.height or 24
        return height - (4 if height >= 16 else 2)

    def _window(self, told: list[Line], width: int, room: int) -> list[Line]:
        """As much of it as there is room for, and on a line of its own how much is hidden."""
        if len(told) <= room:
            self._first_line = self._hidden = 0
            return told
        self._rows = max(1, room - 1)
        self._hidden = len(told) - self._rows
        self._first_line = max(0, min(self._first_line, self._hidden))
        below = self._hidden - self._first_line
        words = " · ".join(
            part
            for part in (
                f"↑ {plural(self._first_line, 'line')}" if self._first_line else "",
                f"↓ {plural(below, 'line')} more" if below else "",
                "pgdn" if below else "pgup",
            )
            if part
        )
        shown = told[self._first_line : self._first_line + self._rows]
        said = line(Span(f"── {words} ", "warn" if below else "dim"))
        edge = spread(said, EMPTY, width, Span("─", "border"))
        return [*shown, edge]
