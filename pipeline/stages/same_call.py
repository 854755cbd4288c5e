"""When the arguments of two calls are the same: the same JSON value, else the same text.

The order of keys, escapes and the spelling of a number do not count; a repeated key does, and so
does every digit of a number: nothing here passes through a float.
"""

from __future__ import annotations

import json
from operator import itemgetter
from typing import Any, NoReturn

from pipeline.stages.json_text import brackets
from pipeline.stages.same_text import strict, strict_characters

# Deeper than this a text is compared as a text: how deep a parser gets depends on who calls it.
_MAX_DEPTH = 100
_MAX_EXPONENT_DIGITS = 18


def arguments_form(arguments: str | None) -> str:
    """Equal for the same arguments; "" for none at all: absent, empty, or an object without members."""
    if not arguments or arguments.isspace() or arguments == "{}":
        return ""
    value = _value(strict_characters(arguments))
    if value is None:
        text = strict(arguments).text
        return f"t{text}" if text else ""
    form = _written(value[0])
    return "" if form == _NO_MEMBERS else f"j{strict_characters(form)}"


def _value(text: str) -> tuple[Any] | None:
    """The value in a tuple, with objects and numbers written out; None when the text is not JSON."""
    if text.count("{") + text.count("[") > _MAX_DEPTH and brackets(text).deepest > _MAX_DEPTH:
        return None
    try:
        return (_DECODER.decode(text),)
    except (ValueError, RecursionError):
        return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Its members by key. Of a repeated key each value stays, in its order."""
    return {"o": sorted(((strict_characters(key), value) for key, value in pairs), key=itemgetter(0))}


def _number(digits: str) -> dict[str, str]:
    """Sign, digits without zeros at either end, and a power of ten: 1, 1.0 and 10e-1 are one number."""
    mantissa, _, exponent = digits.lower().partition("e")
    if len(exponent) > _MAX_EXPONENT_DIGITS:
        raise ValueError("an exponent that nobody computes with")
    whole, _, fraction = mantissa.removeprefix("-").partition(".")
    power = int(exponent or 0) - len(fraction)
    significant = (whole + fraction).lstrip("0")
    shortened = significant.rstrip("0")
    if not shortened:
        return {"n": "0"}
    sign = "-" if mantissa.startswith("-") else ""
    return {"n": f"{sign}{shortened}e{power + len(significant) - len(shortened)}"}


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_NO_MEMBERS = '{"o":[]}'
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_number, parse_float=_number, parse_constant=_constant
)
