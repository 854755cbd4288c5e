"""Whether two answers are the same on the strict level of ``docs/exports.md``.

Written here and not borrowed from the exporter, whose guard the schema has to outlive.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS = re.compile(
    "(?P<before>^|[^\u200c\u200d])(?P<joiner>[\u200c\u200d])[\u200c\u200d]*(?=(?P<after>.?))", re.S
)
_FENCED = re.compile(
    r" {0,3}(?P<mark>`{3,}|~{3,}) *[A-Za-z0-9_+#.-]{0,20} *\n(?P<inside>.*\n)? {0,3}(?P<close>`+|~+)", re.S
)
_FENCE_LINE = re.compile(r"^ {0,3}(`{3,}|~{3,})$", re.M)
_FIRST_THAT_JOINS = "\u0530"
_MAX_DEPTH = 100
_OPENING = 64
_PLAIN_OPENING = re.compile(r"[ \t]*[!-_a-}][\n\t -~]*")
_ENDS_OF_LINES = re.compile(r"[ \t]+\n")
_NUMBER = re.compile(r"(-?)0*(\d*?)(?:\.(\d+))?(?:[eE]([+-]?\d+))?")


class Turn(NamedTuple):
    """What an assistant said in one turn: its text, and its calls as (name, arguments)."""

    text: str
    calls: Sequence[tuple[str, str]]


def same_answer(one: Iterable[Turn], other: Iterable[Turn]) -> bool:
    """Turns that say nothing do not count."""
    one, other = list(one), list(other)
    if one and other and _begin_otherwise(one[0].text, other[0].text):
        return False
    return all(mine == yours for mine, yours in zip_longest(_said(one), _said(other)))


def _begin_otherwise(one: str, other: str) -> bool:
    """Whether two texts are told apart by what nothing alters: how they begin, in plain lines of ASCII.

    A fence begins with a mark, spaces or not before it; empty lines before the first one do not count.
    """
    mine, yours = _opening(one), _opening(other)
    shorter = min(len(mine), len(yours))
    return mine[:shorter] != yours[:shorter]


def _opening(text: str) -> str:
    """With what a text begins that reads so whatever comes behind it: "" where that cannot be told.

    Its last character may be a space that ends the line, or take a mark that is not ASCII.
    """
    plain = _PLAIN_OPENING.match(text, 0, _OPENING)
    return _ENDS_OF_LINES.sub("\n", plain[0][:-1]).rstrip() if plain else ""


def _said(turns: Iterable[Turn]) -> Iterable[object]:
    for turn in turns:
        text = _text(turn.text)
        if text or turn.calls:
            yield text, [(_seen(name).strip(), _arguments(given)) for name, given in turn.calls]


def _seen(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _JOINERS.sub(_joined, _UNSEEN.sub("", text)))


def _joined(found: re.Match[str]) -> str:
    before, after = found["before"], found["after"]
    keeps = before and after and _may_join(before) and _may_join(after)
    return before + (found["joiner"] if keeps else "")


def _may_join(character: str) -> bool:
    kind = unicodedata.category(character)
    if kind[0] in "LM":
        return character >= _FIRST_THAT_JOINS and unicodedata.east_asian_width(character) not in "WF"
    return character >= _FIRST_THAT_JOINS and (kind in ("So", "Sk") or 0x2190 <= ord(character) < 0x2200)


def _text(text: str) -> str:
    whole = "\n".join(line.rstrip() for line in _seen(text).splitlines()).strip("\n")
    found = _FENCED.fullmatch(whole)
    if found is None or not found["close"].startswith(found["mark"]):
        return whole
    inside = found["inside"] or ""
    if any(line[1].startswith(found["mark"]) for line in _FENCE_LINE.finditer(inside)):
        return whole
    return inside.strip("\n")


def _arguments(text: str) -> object:
    """A value that is equal for equal arguments; None when there are none."""
    try:
        value = _plain(_DECODER.decode(_seen(text)), _MAX_DEPTH)
    except (ValueError, RecursionError):
        return _text(text) or None
    return None if value == _NO_MEMBERS else value


class _Members(list[Any]):
    pass


class _Digits(str):
    __slots__ = ()


def _plain(value: Any, depth: int) -> tuple[object, ...]:
    """A value as tuples that begin with its kind. Raises ValueError when it is too deep."""
    if isinstance(value, _Digits):
        return ("number", *_number(value))
    if isinstance(value, str):
        return ("text", _seen(value))
    if isinstance(value, list):
        if not depth:
            raise ValueError("too deep")
        if isinstance(value, _Members):
            members = [(_seen(key), _plain(member, depth - 1)) for key, member in value]
            return ("object", tuple(sorted(members, key=lambda member: member[0])))
        return ("list", tuple(_plain(element, depth - 1) for element in value))
    return ("constant", repr(value))


def _number(digits: str) -> tuple[object, ...]:
    """Sign, digits without zeros at either end, power of ten: no float, so that no digit is lost."""
    found = _NUMBER.fullmatch(digits)
    if found is None or len(found[4] or "") > 18:
        raise ValueError("no number")
    behind = found[3] or ""
    all_digits = (found[2] + behind).lstrip("0")
    if not all_digits:
        return (0,)
    kept = all_digits.rstrip("0")
    return found[1], kept, int(found[4] or 0) - len(behind) + len(all_digits) - len(kept)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_NO_MEMBERS = ("object", ())
_DECODER = json.JSONDecoder(
    object_pairs_hook=_Members, parse_int=_Digits, parse_float=_Digits, parse_constant=_no_constant
)
