"""How a path, a template, a format of time and a unit are spelled, whatever the data hold.

``pipeline.streams`` compiles what is sound here. JMESPath is imported only when a path needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

_STEP = re.compile(r'(?:\A|(?<=[^.])\.)(?:([A-Za-z_][A-Za-z0-9_]*)|"([^"\\]*)")|\[(-?[0-9]{1,9})\]')
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
# A duration's unit, in milliseconds.
MILLISECONDS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "seconds": 1e3, "minutes": 6e4, "hours": 3.6e6}

# Numbers that count from 1970, and what of a time span they are.
EPOCHS = {"epoch_seconds": "seconds", "epoch_ms": "milliseconds", "epoch_ns": "microseconds"}


def plain_steps(path: str) -> tuple[str | int, ...] | None:
    """The names and indexes of a plain path, or None when ``path`` is more than that."""
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            return None
        name, quoted, index = match.groups()
        steps.append(int(index) if index is not None else name if name is not None else quoted)
        position = match.end()
    return tuple(steps) or None


def check_path(path: str) -> str:
    """``path`` itself. Raises ValueError when it is neither plain nor JMESPath."""
    if plain_steps(path) is None:
        jmespath_search(path)
    return path


def jmespath_search(path: str) -> Callable[[Any], Any]:
    """What finds ``path`` in a value, within bounds. Raises ValueError when it is no JMESPath."""
    from jmespath.exceptions import JMESPathError, UnknownFunctionError

    from pipeline.settings.bounded_jmespath import MAX_WORK, BoundedSearch, TooMuchWorkError

    try:
        search = BoundedSearch(path)
    except (JMESPathError, RecursionError) as error:
        raise ValueError(_complaint(path, error)) from None
    try:
        search({})
    except (UnknownFunctionError, RecursionError) as error:
        raise ValueError(_complaint(path, error)) from None
    except TooMuchWorkError:
        raise ValueError(f"not a path: it makes more than {MAX_WORK:,} values of an empty object") from None
    except JMESPathError:
        # An empty line is no argument for a function; a real one may be.
        pass
    return search


def _complaint(path: str, error: Exception) -> str:
    hint = ' A name with other characters than letters, digits and "_" stands in double quotes.'
    reason = str(error).split("\n")[0].rstrip(".:")
    return f"not a path: {reason}.{hint if re.search(r'[^A-Za-z0-9_.]', path) else ''}"


def check_template(template: str) -> str:
    """``template`` itself. Raises ValueError for an unmatched brace or a wrong path."""
    split_template(template)
    return template


def split_template(template: str) -> list[tuple[str, str | None]]:
    """Literal text, then the path that follows it (None at the end). Raises ValueError."""
    pieces: list[tuple[str, str | None]] = []
    literal = ""
    position = 0
    for match in _PIECE.finditer(template):
        literal += template[position : match.start()]
        position = match.end()
        token = match[0]
        if token in ("{{", "}}"):
            literal += token[0]
        elif match[1] is None:
            raise ValueError("an unmatched brace; a brace that is text is written twice")
        else:
            pieces.append((literal, check_path(match[1]) if match[1] else _empty()))
            literal = ""
    pieces.append((literal + template[position:], None))
    return pieces


def _empty() -> str:
    raise ValueError("empty braces; a path stands in braces, and a brace that is text is written twice")


def check_time_format(text: str) -> str:
    """``text`` itself. Raises ValueError when it names no format."""
    if text == "iso" or text in EPOCHS:
        return text
    if "%" not in text:
        raise ValueError(
            "a time format is iso, epoch_seconds, epoch_ms, epoch_ns, or one of strptime's such as %Y-%m-%d"
        )
    try:
        datetime.strptime(datetime(2001, 2, 3, tzinfo=UTC).strftime(text), text)  # noqa: DTZ007 only tried
    except ValueError as error:
        raise ValueError(f"not a time format: {error}") from None
    return text
