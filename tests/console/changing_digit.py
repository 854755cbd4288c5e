"""A console whose one canvas shows a digit right of each argument; any key adds one to it.

Run as a module on a terminal: ``python -m tests.console.changing_digit TEXT …``.
"""

from __future__ import annotations

import sys

from textual import events  # noqa: TID253 (an app to test)
from textual.app import ComposeResult  # noqa: TID253
from textual.screen import Screen  # noqa: TID253

from console.presentation.spans import fit_text, line
from console.tui.widgets.canvas import Canvas
from tests.console import states
from tests.console.apps import StillApp

FIELD_CELLS = 79
"""The digit stands in the last of eighty columns, whatever stands left of it."""


class _Digits(Screen[None]):
    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self._texts = texts
        self._digit = 1

    def compose(self) -> ComposeResult:
        yield Canvas()

    def on_mount(self) -> None:
        self._show()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self._digit += 1
        self._show()

    def _show(self) -> None:
        self.query_one(Canvas).show(
            [line(fit_text(text, FIELD_CELLS), str(self._digit)) for text in self._texts]
        )


class DigitApp(StillApp):
    def get_default_screen(self) -> Screen[None]:
        return _Digits(sys.argv[1:])


if __name__ == "__main__":
    DigitApp(states.healthy()).run(mouse=False)
