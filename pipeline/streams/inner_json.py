"""JSON that a log keeps inside a text, read as strictly as a line of its own.

A member that is given twice, a number past 64 bits, half of a surrogate pair or a nesting that no
row could hold is a skip with the reason that a line would have; what is no JSON is a wrong type.
"""

from __future__ import annotations

from typing import Any

from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.storage.source_lines import parse_line
from pipeline.streams.misfit import MisfitError, wrong_type

_NO_JSON = frozenset(
    (SkipReason.BLANK_LINE, SkipReason.INVALID_UTF8, SkipReason.NUL_BYTE, SkipReason.MALFORMED_JSON)
)

_SCALARS = ("stringValue", "boolValue", "intValue", "doubleValue", "bytesValue")


def parsed(text: str, expected: str = "JSON") -> Any:
    """The value of a JSON text, of any kind. Raises MisfitError, which says what was ``expected``."""
    # As the one member of an object: what reads lines reads objects, and knows every trap.
    line = parse_line(b'{"json":%s}' % text.encode())
    if isinstance(line, LineFault):
        if line.reason in _NO_JSON:
            raise MisfitError(SkipReason.WRONG_TYPE, f"expected {expected}, found another text")
        raise MisfitError(line.reason, f"JSON in a text: {line.detail}")
    if len(line) > 1:
        # The text closed the member and began another: no JSON by itself.
        raise MisfitError(SkipReason.WRONG_TYPE, f"expected {expected}, found another text")
    return line["json"]


def of_attribute(value: Any) -> Any:
    """What a structured attribute holds, as OTLP writes it in JSON; any other value as it is."""
    if type(value) is not dict or len(value) != 1:
        return value
    if type(inner := value.get("arrayValue")) is dict:
        items = inner.get("values", [])
        return [_any_value(item) for item in items] if type(items) is list else value
    if type(inner := value.get("kvlistValue")) is dict:
        return _any_value(value)
    return value


def _any_value(value: Any) -> Any:
    """An ``AnyValue``: one member that names the kind. One that is none of these is null, as OTLP's is."""
    if type(value) is not dict:
        raise wrong_type("a value of an attribute to be an object", value)
    if type(inner := value.get("kvlistValue")) is dict:
        pairs = inner.get("values", [])
        if type(pairs) is not list or not all(type(pair) is dict for pair in pairs):
            raise wrong_type("an attribute's kvlistValue to be a list of pairs", pairs)
        made = {pair.get("key"): _any_value(pair.get("value", {})) for pair in pairs}
        if len(made) != len(pairs) or not all(type(key) is str for key in made):
            raise MisfitError(
                SkipReason.DUPLICATE_KEY, "an attribute's kvlistValue gives one of its keys twice"
            )
        return made
    if "arrayValue" in value:
        return of_attribute(value)
    if type(number := value.get("intValue")) is str:
        # 64 bits as a text, as OTLP writes them.
        return parsed(number, "a whole number")
    return next((value[kind] for kind in _SCALARS if kind in value), None)


def unpacked(value: Any, expected: str = "JSON") -> Any:
    """The value of a JSON text or an attribute of OTLP; any other value as it is. Raises MisfitError."""
    return parsed(value, expected) if type(value) is str else of_attribute(value)


def turns_of(value: Any) -> list[Any]:
    """The turns of a conversation, a list or JSON text of one. Raises MisfitError."""
    turns = unpacked(value, "a list of turns, or its JSON")
    if type(turns) is not list:
        raise wrong_type("a list of turns", turns)
    return turns


def further_turns(value: Any) -> list[Any]:
    """The turns that stand beside a conversation: a list, one alone, or JSON text of either."""
    turns = unpacked(value, "turns, or their JSON")
    return turns if type(turns) is list else [turns]
