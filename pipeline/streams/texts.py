"""A single value as text, one way for keys of maps, pieces of joins, templates and ids."""

from __future__ import annotations

from typing import Any

import orjson

from pipeline.streams.misfit import wrong_type


def scalar_text(value: Any) -> str:
    """``value`` as JSON would spell it, a text as it is. Raises MisfitError for a list or an object."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return orjson.dumps(value).decode()
    raise wrong_type("a text or a number", value)


def json_text(value: Any) -> str:
    """A text as it is, anything else as compact JSON."""
    return value if type(value) is str else orjson.dumps(value).decode()
