"""Arming: who asks, for how long, and why. No reason, no arming."""

from __future__ import annotations

from typing import ClassVar

from console.presentation.spans import EMPTY, Line, Span, line
from console.tui.screens.dialogue import InputDialogue


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
