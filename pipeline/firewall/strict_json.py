"""The slow, exact JSON reader, for every line that the fast path is in doubt about.

It is the standard library's parser made strict: no repeated key at any depth, no NaN, no
number that becomes infinite, no lone surrogate, no bytes that are not UTF-8.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


class UnreadableError(ValueError):
    """The line is not JSON as the firewall understands it. The text says why, without its data."""


def read(line: bytes) -> Any:
    """The value in one line. Raises UnreadableError."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not UTF-8 (byte {error.start} of the line)") from None
    if not text.strip(" \t\r\n"):
        raise UnreadableError("blank line")
    try:
        value = _DECODER.decode(text)
        if "\\u" in text:
            # A lone surrogate can only come from an escape; encoding finds it wherever it stands.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnreadableError:
        raise
    except RecursionError:
        raise UnreadableError("nested too deeply") from None
    except UnicodeEncodeError:
        raise UnreadableError("lone surrogate in a text") from None
    except json.JSONDecodeError as error:
        said = error.msg.removesuffix(" at")
        raise UnreadableError(f"not JSON: {said} (character {error.pos} of the line)") from None
    except ValueError:
        # The interpreter refuses integers of more than 4,300 digits.
        raise UnreadableError("number out of range") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise UnreadableError("an object repeats a key")
    return value


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise UnreadableError("number out of range")
    return number


def _constant(name: str) -> NoReturn:
    raise UnreadableError(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_constant=_constant, strict=True
)
