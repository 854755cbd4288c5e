"""Another console is armed: what is known of it, and the word that takes control over."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input

from console.control.lease import TAKE_OVER_WORD
from console.presentation.spans import EMPTY, Role, Span, line, wrap_text
from console.tui.screens.base import bindings_for
from console.tui.screens.dialogue import Dialogue
from console.tui.widgets.canvas import Canvas
from pipeline.contracts.untrusted import visible
from pipeline.platform.lock import Holder
from pipeline.reading.durations import age_in_words


class TakeOverDialogue(Dialogue[bool]):
    """Answers True only when the word was typed in full."""

    AUTO_FOCUS: ClassVar[str | None] = "#word"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("dialogue")

    def __init__(self, holder: Holder) -> None:
        super().__init__()
        self._holder = holder
        self._text = Canvas(id="why")
        self._word = Input(
            placeholder=f"{TAKE_OVER_WORD}, typed in full; all else changes nothing", id="word"
        )
        self._word.cursor_blink = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "ANOTHER CONSOLE IS ARMED"
            yield self._text
            yield self._word

    def draw(self) -> None:
        holder = self._holder
        at = holder.since_seconds
        since = "" if at is None else f", since {age_in_words(self.console.now() - at)}"
        who = f"{holder.user or 'somebody'} on {holder.host or 'an unknown host'}, pid {holder.pid or '?'}"
        width = (self._text.size.width or 60) - 2
        told: tuple[tuple[str, Role], ...] = (
            (visible(f"{who}{since}", 200), "strong"),
            ("Two hands on one workspace undo each other. Ask first, if you can.", "text"),
            ("Taking over makes that console read-only at once, and is written down.", "dim"),
        )
        lines = [line(Span(f" {part}", role)) for text, role in told for part in wrap_text(text, width)]
        lines += [
            EMPTY,
            line(f" Type {TAKE_OVER_WORD} to take control over.", Span("  esc changes nothing", "dim")),
        ]
        self._text.styles.height = len(lines)
        self._text.show(lines)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    @on(Input.Submitted)
    def _answered(self, message: Input.Submitted) -> None:
        self.dismiss(message.value.strip() == TAKE_OVER_WORD)

    def action_act(self, action_id: str) -> None:
        if action_id == "back":
            self.dismiss(False)
