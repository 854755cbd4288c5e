"""Lists at the plain console: printed with numbers, one of which is chosen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.plain.status import texts
from console.presentation.spans import Line, line, plain_text
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.state.view_state import ViewState

NUMBER = 4
Rows = Sequence[tuple[str | None, Line]]


@dataclass(frozen=True)
class Numbered:
    """``ask`` prints what is asked and gives one line (None at the end of input)."""

    state: Callable[[], ViewState]
    now: Callable[[], float]
    say: Callable[[str], None]
    ask: Callable[[str], Awaitable[str | None]]

    async def choose(self, head: Sequence[Line], rows: Rows, what: str) -> str | None:
        """Print the rows, those with a key numbered; the one that was chosen. None for an empty line."""
        keys = [key for key, _ in rows if key is not None]
        self.tell(texts(list(head)))
        number = 0
        for key, spans in rows:
            number += key is not None
            label = f"{number:>3}" if key is not None else ""
            self.say(f"{label:<{NUMBER}}{visible(plain_text(spans).rstrip())}".rstrip())
        while keys:
            typed = ((await self.ask(what)) or "").strip()
            if not typed:
                return None
            if typed.isdecimal() and 1 <= int(typed) <= len(keys):
                return keys[int(typed) - 1]
            self.say(f"no such choice: {visible(typed, 40)}")
        return None

    def tell(self, lines: Sequence[str]) -> None:
        for text in lines:
            self.say(text)


def plain(text: str) -> Line:
    return line(f" {text}")
