"""A terminal of cells: bytes in, rows of characters out. It knows what the console's screens write.

Terminals measure emoji and marks differently, so how many cells a text takes is the caller's word: a
screen has to come out right on each of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

Widths = Callable[[str], int]

_TOKENS = re.compile(
    r"\x1b\[(?P<arguments>[0-9;?<>=$]*)(?P<final>[@-~])"
    r"|\x1b(?P<short>[78=>])"
    r"|\x1b[\]P_].*?(?:\x07|\x1b\\)"
    r"|(?P<text>[^\x1b])",
    re.DOTALL,
)


def marks_take_nothing(text: str) -> int:
    """As ``wcwidth`` has it: no variation selector and no keycap makes a cluster wide (tmux 3.3)."""
    return marks_take_a_cell("".join(one for one in text if unicodedata.category(one) not in ("Mn", "Me")))


def marks_take_a_cell(text: str) -> int:
    """A terminal that knows no combining marks at all."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


class CellTerminal:
    def __init__(self, columns: int, rows: int, widths: Widths) -> None:
        self._columns, self._widths = columns, widths
        self._cells = [[" "] * columns for _ in range(rows)]
        self._x = self._y = 0
        self._saved = (0, 0)

    def feed(self, written: str) -> None:
        for token in _TOKENS.finditer(written):
            if token["short"] == "7":
                self._saved = (self._x, self._y)
            elif token["short"] == "8":
                self._x, self._y = self._saved
            elif token["text"] is not None:
                self._put(token["text"])
            elif token["final"] is not None:
                self._obey(token["final"], token["arguments"])

    def row(self, row: int, column: int = 0) -> str:
        """What the row shows from a column on."""
        return "".join(self._cells[row][column:]).rstrip()

    def _obey(self, final: str, arguments: str) -> None:
        numbers = [int(number) for number in re.findall(r"\d+", arguments)]
        if final in "Hf":
            self._y, self._x = (number - 1 for number in numbers or (1, 1))
        elif final == "C":
            self._x = min(self._columns - 1, self._x + sum(numbers))
        elif final == "J":
            self._cells = [[" "] * self._columns for _ in self._cells]

    def _put(self, character: str) -> None:
        if character == "\r":
            self._x = 0
        elif character == "\n":
            self._y = min(len(self._cells) - 1, self._y + 1)
        if ord(character) < 0x20:
            return
        row, last = self._cells[self._y], max(0, self._x - 1)
        while last and not row[last]:
            last -= 1
        more = self._widths(row[last] + character) - self._widths(row[last])
        if self._x and more < max(1, self._widths(character)):
            row[last] += character
        else:
            row[min(self._x, self._columns - 1)] = character
            more, last = self._widths(character), self._x
        end = min(self._columns, self._x + more)
        row[last + 1 : end] = [""] * (end - last - 1)
        self._x = end
