r"""Regular expressions of the settings, searched in time linear in the text.

Patterns are written as Python's ``re`` takes them, and run on RE2, which never steps back: no text
makes one slow. What RE2 spells or means otherwise is rewritten, so that a pattern finds what
``re`` finds: ``$`` also before a line end that ends the text, ``\Z``, ``\d``, ``\w`` and ``\s`` in any
script, ``\uXXXX``, ``{,3}``, what is looked at on the edges of a pattern. What is left of the
difference stands in ``docs/streams.md``.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pipeline.settings.lookaround import without_looks

if TYPE_CHECKING:
    import re2

_TOKEN = re.compile(
    r"""
      \\u(?P<u4>[0-9a-fA-F]{4}) | \\U(?P<u8>[0-9a-fA-F]{8}) | \\(?P<escape>.)
    | (?P<comment>\(\?\#[^)]*\))
    | \(\?(?P<flags>[aiLmsux]*-?[imsx]*)(?P<flags_end>[:)])
    | (?P<group>\((?!\?)|\(\?P<(?![=!]))
    | (?P<other_group>\(\?)
    | (?P<close>\))
    | (?P<class>\[\^?\]?)
    | (?P<end>\$)
    | \{,(?P<at_most>[0-9]*)\}
    | (?P<literal>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_CLASS = re.compile(
    r"\\u(?P<u4>[0-9a-fA-F]{4})|\\U(?P<u8>[0-9a-fA-F]{8})|\\(?P<escape>.)|(?P<close>\])|(?P<open>\[)|(?P<literal>.)",
    re.DOTALL,
)
_SPACES = r"\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_NO_SPACES = (
    r"\x00-\x08\x0e-\x1b\x21-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}"
    r"\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff}"
)
_WORD = r"\p{L}\p{N}_"
_OUTSIDE = {
    "Z": r"\z",
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
    "w": f"[{_WORD}]",
    "W": f"[^{_WORD}]",
    "s": f"[{_SPACES}]",
    "S": f"[^{_SPACES}]",
}
# Common classes with a \\W in them, which RE2 knows in ASCII only.
_LETTERS = {
    r"[^\W_]": r"[\p{L}\p{N}]",
    r"[^\W\d_]": r"[\p{L}\p{Nl}\p{No}]",
    r"[^\W\d]": r"[\p{L}\p{Nl}\p{No}_]",
    r"[\W_]": r"[^\p{L}\p{N}]",
    r"[\W\d_]": r"[^\p{L}\p{Nl}\p{No}]",
}
_INSIDE = {"d": r"\p{Nd}", "D": r"\P{Nd}", "w": _WORD, "s": _SPACES, "S": _NO_SPACES}
# What RE2 does not have → what to write instead.
_WAYS_OUT = (
    (r"\(\?<?[=!]", "looks ahead or behind: put a group around what is wanted, or ask with matches and not"),
    (r"\\[1-9]|\(\?P=|\(\?\(", "refers back to a group: write out what may stand there"),
    (r"[+*?}]\+|\(\?>", "forbids stepping back, which is never done here: leave the second + or the ?> out"),
    (r"\(\?[a-zA-Z]*x", "has (?x): write it in one line without it"),
    (r"\{[0-9,]*[0-9]{4}", "repeats more than 1,000 times: write + or *"),
    (r"\\N\{", "names a character: write the character itself"),
)
_NOT_LINEAR = "cannot be searched in linear time"


# Paths of files, models and states repeat from line to line; what is longer hardly does.
_REPEATED_CHARACTERS = 200
_REMEMBERED = 1024


class Pattern:
    """One pattern, compiled. ``find`` and ``found`` are what rules and conditions ask."""

    def __init__(self, written: _Rewritten, compiled: re2._Regexp) -> None:
        # In bytes, at half the cost: a text is encoded for the search in any case.
        self._search = compiled.search
        self._group, self._ends = written.group, written.ends
        self._find_again = lru_cache(maxsize=_REMEMBERED)(self._find)

    def found(self, text: str) -> bool:
        return self._search(text.encode()) is not None

    def find(self, text: str) -> str | None:
        """The first group of the first match (the whole match without a group), or None."""
        return self._find_again(text) if len(text) < _REPEATED_CHARACTERS else self._find(text)

    def _find(self, text: str) -> str | None:
        encoded = text.encode()
        match = self._search(encoded)
        if match is None:
            return None
        start, end = match.span(self._group)
        if start < 0:
            return None
        # A line end that a ``$`` stands before is not part of what was found.
        if start < end == len(encoded) and any(match.span(number)[0] >= 0 for number in self._ends):
            end -= 1
        return encoded[start:end].decode()


def compile_pattern(pattern: str) -> Pattern:
    """Raises ValueError for what is no regular expression, or one that is not searched in linear time."""
    import re2

    try:
        with warnings.catch_warnings():
            # Brackets inside of a class, which mean themselves here as they do in ``re``.
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    options = re2.Options()
    options.log_errors = False
    written = _rewritten(without_looks(pattern) or pattern)
    try:
        return Pattern(written, re2.compile(written.text.encode(), options))
    except re2.error as error:
        raise ValueError(_complaint(pattern, error)) from None


def _complaint(pattern: str, error: Exception) -> str:
    for construct, way_out in _WAYS_OUT:
        if re.search(construct, pattern):
            return f"{_NOT_LINEAR}: it {way_out}"
    reason = error.args[0] if error.args else ""
    shown = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    return f"{_NOT_LINEAR} ({shown}): write it with groups, classes, * and + alone"


class _Rewritten(NamedTuple):
    """``group`` is the number of what ``find`` gives, ``ends`` are those of line ends before a ``$``."""

    text: str
    group: int
    ends: tuple[int, ...]


def _rewritten(pattern: str) -> _Rewritten:
    """A valid pattern of ``re``, as RE2 spells it."""
    out: list[str] = []
    # Of each open group: whether lines have ends of their own there, and whether only ASCII counts.
    states = [(False, False)]
    groups, wanted, ends, position = 0, 0, [], 0
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        assert token is not None  # noqa: S101 its last branch takes any character
        position = token.end()
        lines, ascii_only = states[-1]
        kind = token.lastgroup
        if kind in ("u4", "u8"):
            out.append(_character(token[kind]))
        elif kind == "escape":
            out.append(
                rf"\{token[kind]}" if ascii_only and token[kind] != "Z" else _escaped(token[kind], _OUTSIDE)
            )
        elif kind == "flags_end":
            flags = token["flags"]
            on, _, off = flags.partition("-")
            state = ((lines or "m" in on) and "m" not in off, (ascii_only or "a" in on) and "u" not in on)
            kept = re.sub("[au]", "", flags)
            if token[kind] == ":":
                states.append(state)
                out.append(f"(?{kept}:")
            else:
                states[-1] = state
                out.append(f"(?{kept})" if kept else "")
        elif kind == "group":
            groups += 1
            wanted = wanted or groups
            states.append(states[-1])
            out.append(token[0])
        elif kind == "other_group":
            states.append(states[-1])
            out.append(token[0])
        elif kind == "close":
            states.pop()
            out.append(")")
        elif kind == "class":
            inside, position = _class(pattern, position, ascii_only)
            common = None if ascii_only else _LETTERS.get(pattern[token.start() : position])
            out.append(common or token[0].replace("]", r"\]") + inside)
        elif kind == "end" and not lines:
            groups += 1
            ends.append(groups)
            out.append(r"(?:\z|(\n)\z)")
        elif kind == "at_most":
            out.append(f"{{0,{token[kind]}}}")
        elif kind != "comment":
            out.append(token[0])
    return _Rewritten("".join(out), wanted, tuple(ends))


def _class(pattern: str, position: int, ascii_only: bool) -> tuple[str, int]:
    """The rest of a character class from ``position``, and where it ends."""
    out = []
    while True:
        token = _IN_CLASS.match(pattern, position)
        assert token is not None  # noqa: S101 a valid class ends
        position = token.end()
        match token.lastgroup:
            case "u4" | "u8" as kind:
                out.append(_character(token[kind]))
            case "escape":
                letter = token["escape"]
                out.append(rf"\{letter}" if ascii_only else _escaped(letter, _INSIDE))
            case "open":
                out.append(r"\[")
            case "close":
                return "".join([*out, "]"]), position
            case _:
                out.append(token[0])


def _character(digits: str) -> str:
    return f"\\x{{{digits}}}"


def _escaped(letter: str, table: dict[str, str]) -> str:
    return table.get(letter, f"\\{letter}")
