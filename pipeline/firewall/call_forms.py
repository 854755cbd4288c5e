"""The form in which the content wall compares the arguments of calls: one JSON value, one form.

Not the exporter's function, and no float: numbers are compared digit by digit.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from pipeline.firewall.text_forms import strict_form, without_hidden

_MAX_DEPTH = 100
_MAX_EXPONENT_DIGITS = 18


class _Members(list[tuple[str, Any]]):
    """The members of an object as they were written, repeated ones too."""


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def arguments_form(arguments: str) -> str:
    """Empty for arguments that say nothing; texts that are not JSON are compared as texts."""
    seen = without_hidden(arguments)
    try:
        form = "value " + "".join(_written(_decode(seen), 0))
    except (ValueError, RecursionError):
        text = strict_form(arguments).text
        form = f"text {text}" if text else ""
    return "" if form == "value {}" else form


def _written(value: Any, depth: int) -> list[str]:
    """The pieces of a value in one spelling. Raises ValueError when it is nested too deeply."""
    if isinstance(value, _Number):
        return [_plain(value)]
    if isinstance(value, str):
        return [json.dumps(without_hidden(value))]
    if not isinstance(value, list):
        return [json.dumps(value)]
    if depth >= _MAX_DEPTH:
        raise ValueError("nested too deeply")
    pieces = []
    if isinstance(value, _Members):
        members = [(without_hidden(key), member) for key, member in value]
        members.sort(key=lambda member: member[0])
        for key, member in members:
            pieces += [json.dumps(key), ":", *_written(member, depth + 1), ","]
        return ["{", *pieces, "}"]
    for element in value:
        pieces += [*_written(element, depth + 1), ","]
    return ["[", *pieces, "]"]


def _plain(number: str) -> str:
    """Digits without zeros before and behind, and the power of ten: 100, 1e2 and 100.0 are one number."""
    sign = "-" if number[0] == "-" else ""
    digits, _, exponent = number.lstrip("-").replace("E", "e").partition("e")
    if len(exponent) > _MAX_EXPONENT_DIGITS:
        raise ValueError("exponent out of range")
    before, _, after = digits.partition(".")
    power = (int(exponent) if exponent else 0) - len(after)
    counted = (before + after).lstrip("0")
    if not counted:
        return "0"
    power += len(counted)
    counted = counted.rstrip("0")
    return f"{sign}.{counted}e{power}"


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


_decode = json.JSONDecoder(
    object_pairs_hook=_Members, parse_int=_Number, parse_float=_Number, parse_constant=_refuse
).decode
