"""The base of dialogues: a box over a screen, deaf to keys typed before it was seen.

Over a slow link a key may have been typed long before the dialogue that it reaches was drawn.
So keys are dropped until the box has been on the screen for a moment.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar, cast

from textual.screen import ModalScreen

from console.tui.host import Host

DEAF_SECONDS = 0.3
Result = TypeVar("Result")


class Dialogue(ModalScreen[Result]):
    """Subclasses answer with ``dismiss``; escape and a lost link both mean no.

    The app drops keys for as long as the dialogue on top does not listen.
    """

    AUTO_FOCUS: ClassVar[str | None] = None
    waits_for_eyes: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._seen_at: float | None = None

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

    def draw(self) -> None:
        """Bring the box to the app's state; most have nothing that changes."""
