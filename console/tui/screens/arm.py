"""Arming: who asks and why (no reason, no arming), and the word that takes control over from others."""

from __future__ import annotations

from typing import ClassVar

from console.control.lease import TAKE_OVER_WORD
from console.presentation.spans import EMPTY, Line, Role, Span, line, wrap_text
from console.tui.screens.dialogue import InputDialogue
from pipeline.contracts.untrusted import visible
from pipeline.platform.lock import Holder
from pipeline.reading.durations import age_in_words


class ArmDialogue(InputDialogue[str]):
    """Answers with the reason; an empty one means that nothing changes."""

    heading = "ARM THIS CONSOLE"
    placeholder: ClassVar[str] = "the reason, for the log; empty changes nothing"

    def body_lines(self, width: int) -> list[Line]:
        return [
            line(" For 15 minutes this console may start and cancel runs."),
            line(Span(" Each of them shows its plan and asks. a again disarms.", "dim")),
            EMPTY,
            line(Span(" Why?  enter arms, esc changes nothing", "dim")),
        ]

    def answer(self, words: str) -> str:
        return words


class TakeOverDialogue(InputDialogue[bool]):
    """Answers True only when the word was typed in full."""

    heading = "ANOTHER CONSOLE IS ARMED"
    placeholder: ClassVar[str] = f"{TAKE_OVER_WORD}, typed in full; all else changes nothing"

    def __init__(self, holder: Holder) -> None:
        super().__init__()
        self._holder = holder

    def body_lines(self, width: int) -> list[Line]:
        holder = self._holder
        at = holder.since_seconds
        since = "" if at is None else f", since {age_in_words(self.console.now() - at)}"
        who = f"{holder.user or 'somebody'} on {holder.host or 'an unknown host'}, pid {holder.pid or '?'}"
        told: tuple[tuple[str, Role], ...] = (
            (visible(f"{who}{since}", 200), "strong"),
            ("Two hands on one workspace undo each other. Ask first, if you can.", "text"),
            ("Taking over makes that console read-only at once, and is written down.", "dim"),
        )
        return [
            *(line(Span(f" {part}", role)) for text, role in told for part in wrap_text(text, width - 2)),
            EMPTY,
            line(f" Type {TAKE_OVER_WORD} to take control over.", Span("  esc changes nothing", "dim")),
        ]

    def answer(self, words: str) -> bool:
        return words == TAKE_OVER_WORD
