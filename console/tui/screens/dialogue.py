"""The base of dialogues: a box over a screen, deaf to keys typed before it was seen.

Over a slow link a key may have been typed long before the dialogue that it reaches was drawn.
So keys are dropped until the box has been on the screen for a moment.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget

from console.presentation.spans import Line
from console.tui.host import Host
from console.tui.widgets.canvas import Canvas

DEAF_SECONDS = 0.3
Result = TypeVar("Result")


class Dialogue(ModalScreen[Result]):
    """Subclasses say what is read, and answer with ``dismiss``; escape and a lost link both mean no.

    The app drops keys for as long as the dialogue on top does not listen.
    """

    AUTO_FOCUS: ClassVar[str | None] = ""
    waits_for_eyes: ClassVar[bool] = True
    heading: str

    def __init__(self) -> None:
        super().__init__()
        self._seen_at: float | None = None
        self._has_answered = False
        self.body = Canvas(id="text")

    @abstractmethod
    def body_lines(self, width: int) -> list[Line]:
        """The text of the box, which is as high as that."""

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
        self.call_after_refresh(self._was_drawn)

    def _was_drawn(self) -> None:
        self._seen_at = self.console.monotonic()

    @property
    def listens(self) -> bool:
        if not self.waits_for_eyes:
            return True
        return self._seen_at is not None and self.console.monotonic() - self._seen_at >= DEAF_SECONDS

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
        lines = self.body_lines(self.body.size.width or 60)
        self.body.styles.height = len(lines)
        self.body.show(lines)
