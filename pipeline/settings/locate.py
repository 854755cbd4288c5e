"""On which line of a TOML document each key stands.

``tomllib`` forgets positions, and an error without a line sends an operator searching. This
scanner walks a document that ``tomllib`` has already accepted and notes where each key and
each list item begins. It validates nothing and never raises: of a document that it does
not understand it returns what it has seen so far.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_right

KeyPath = tuple[str | int, ...]

_BARE_END = frozenset(" \t\r\n=.[]{},#\"'")
_VALUE_END = frozenset("\n,]}#")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\", "e": "\x1b"}
# tomllib itself stops at about a thousand levels.
_MAX_DEPTH = 200


class _UnexpectedError(Exception):
    """The document is not what this scanner expects here."""


def locate(text: str) -> dict[KeyPath, int]:
    """Line (1-based) of each key and list item. ``[[stream]]`` tables are ``("stream", 0)``, …

    Prefixes are there as well: ``a.b = 1`` locates ``("a",)`` and ``("a", "b")``.
    """
    scanner = _Scanner(text)
    with contextlib.suppress(_UnexpectedError, IndexError):
        scanner.document()
    return scanner.lines


def nearest_line(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """Line of ``path``, or of the closest thing around it that the file has."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


class _Scanner:
    def __init__(self, text: str) -> None:
        # A sentinel newline ends the last line, so that lookahead needs no bounds checks.
        self.text = text + "\n"
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._starts = [0, *(i + 1 for i, character in enumerate(text) if character == "\n")]
        self._tables: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        while True:
            self._skip_blank()
            if self.at >= len(self.text):
                return
            if self.text.startswith("[[", self.at):
                table = self._header(2)
            elif self.text[self.at] == "[":
                table = self._header(1)
            else:
                self._pair(table, 0)

    def _header(self, brackets: int) -> KeyPath:
        line = self._line()
        self.at += brackets
        keys = self._dotted()
        self._expect("]" * brackets)
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._in_latest((*path, key))
            self.lines.setdefault(path, line)
        path = (*path, keys[-1])
        self.lines.setdefault(path, line)
        if brackets == 2:
            self._tables[path] = self._tables.get(path, -1) + 1
            path = self._in_latest(path)
            self.lines.setdefault(path, line)
        return path

    def _in_latest(self, path: KeyPath) -> KeyPath:
        """``path``, or its newest element where it names an array of tables."""
        return (*path, self._tables[path]) if path in self._tables else path

    def _pair(self, table: KeyPath, depth: int) -> None:
        line = self._line()
        path = table
        for key in self._dotted():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._expect("=")
        self._value(path, depth)

    def _value(self, path: KeyPath, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise _UnexpectedError
        self._skip_spaces()
        character = self.text[self.at]
        if character in "\"'":
            self._string()
        elif character == "[":
            self._list(path, depth + 1)
        elif character == "{":
            self._inline_table(path, depth + 1)
        else:
            start = self.at
            while self.text[self.at] not in _VALUE_END:
                self.at += 1
            if self.at == start:
                raise _UnexpectedError

    def _list(self, path: KeyPath, depth: int) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip_blank()
            if self.text[self.at] == "]":
                self.at += 1
                return
            self.lines.setdefault((*path, index), self._line())
            self._value((*path, index), depth)
            index += 1
            self._skip_blank()
            if self.text[self.at] == ",":
                self.at += 1

    def _inline_table(self, path: KeyPath, depth: int) -> None:
        self.at += 1
        while True:
            self._skip_blank()
            if self.text[self.at] == "}":
                self.at += 1
                return
            self._pair(path, depth)
            self._skip_blank()
            if self.text[self.at] == ",":
                self.at += 1

    def _dotted(self) -> list[str]:
        keys = [self._key()]
        self._skip_spaces()
        while self.text[self.at] == ".":
            self.at += 1
            keys.append(self._key())
            self._skip_spaces()
        return keys

    def _key(self) -> str:
        self._skip_spaces()
        if self.text[self.at] in "\"'":
            return self._string()
        start = self.at
        while self.text[self.at] not in _BARE_END:
            self.at += 1
        if self.at == start:
            raise _UnexpectedError
        return self.text[start : self.at]

    def _string(self) -> str:
        quote = self.text[self.at]
        if self.text.startswith(quote * 3, self.at):
            self._long_string(quote)
            return ""
        self.at += 1
        parts = []
        while (character := self.text[self.at]) != quote:
            if character == "\n":
                raise _UnexpectedError
            parts.append(self._escape() if character == "\\" and quote == '"' else character)
            self.at += 1
        self.at += 1
        return "".join(parts)

    def _escape(self) -> str:
        """The character of an escape; the position is left on the escape's last character."""
        self.at += 1
        letter = self.text[self.at]
        digits = {"x": 2, "u": 4, "U": 8}.get(letter)
        if digits is None:
            return _ESCAPES.get(letter, letter)
        code = self.text[self.at + 1 : self.at + 1 + digits]
        self.at += digits
        try:
            return chr(int(code, 16))
        except (ValueError, OverflowError):
            raise _UnexpectedError from None

    def _long_string(self, quote: str) -> None:
        self.at += 3
        while not self.text.startswith(quote * 3, self.at):
            if self.text[self.at] == "\\" and quote == '"':
                self.at += 1
            self.at += 1
            if self.at >= len(self.text):
                raise _UnexpectedError
        self.at += 3
        # Up to two quotes may stand right before the closing three.
        while self.text[self.at] == quote:
            self.at += 1

    def _expect(self, token: str) -> None:
        self._skip_spaces()
        if not self.text.startswith(token, self.at):
            raise _UnexpectedError
        self.at += len(token)

    def _skip_spaces(self) -> None:
        while self.text[self.at] in " \t":
            self.at += 1

    def _skip_blank(self) -> None:
        """White space, line ends and comments."""
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "#":
                self.at = self.text.index("\n", self.at)
            elif character in " \t\r\n":
                self.at += 1
            else:
                return

    def _line(self) -> int:
        return bisect_right(self._starts, self.at)
