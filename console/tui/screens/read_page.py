"""A page about something that is read from disk once, in a thread, and again on ``r``."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from console.presentation.spans import Line, Span, line
from console.tui.screens.page import Page

Found = TypeVar("Found")


class ReadPage(Page, Generic[Found]):
    """Subclasses read, and lay out what they read."""

    def __init__(self) -> None:
        super().__init__()
        self._found: Found | None = None

    @abstractmethod
    def read(self) -> Found:
        """Read the disk. Runs in a thread; never raises for what is damaged."""

    @abstractmethod
    def lines_of(self, found: Found, width: int) -> list[Line]:
        """What was read, as lines."""

    def on_mount(self) -> None:
        self._read_again()

    def _read_again(self) -> None:
        self.run_worker(self._read(), name="read", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        self._found = await asyncio.to_thread(self.read)
        self.draw()

    def page_lines(self, width: int) -> list[Line]:
        if self._found is None:
            return [line(Span(" ? reading", "dim"))]
        return self.lines_of(self._found, width)

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {**super().handlers(), "refresh": self._refresh}

    def _refresh(self) -> None:
        self._read_again()
        self.console.act("refresh")
