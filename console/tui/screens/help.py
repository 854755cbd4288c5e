"""Every key that works where it was asked for, with what the marks mean."""

from __future__ import annotations

from typing import ClassVar

from console import keymap
from console.presentation.pages import help_lines
from console.presentation.spans import Line
from console.tui.screens.page import Page


class HelpScreen(Page):
    place = "help"
    silent: ClassVar[tuple[str, ...]] = ("help",)

    def __init__(self, about: keymap.Place) -> None:
        super().__init__()
        self._about: keymap.Place = about

    def trail(self) -> tuple[str, ...]:
        return (self._about, "Help")

    def page_lines(self, width: int) -> list[Line]:
        return help_lines(self._about, width)
