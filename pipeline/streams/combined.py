"""What a rule makes of several values at once: parallel lists to objects, values to a stable id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from pipeline.contracts.skips import SkipReason
from pipeline.streams.misfit import MisfitError
from pipeline.streams.paths import Getter

_HASH_DIGITS = 32


def zipped(members: Mapping[str, Getter], skip_missing: bool) -> Getter:
    """A list of objects, one an index. A value that is no list stands in each of them.

    Null where a member is missing, unless it is to be left out; so is a member where its list has null.
    """

    def zip_lists(line: dict[str, Any]) -> list[dict[str, Any]] | None:
        found: dict[str, Any] = {}
        for name, get in members.items():
            value = get(line)
            if value is not None:
                found[name] = value
            elif not skip_missing:
                return None
        lengths = {len(value) for value in found.values() if type(value) is list}
        if len(lengths) > 1:
            raise MisfitError(SkipReason.WRONG_TYPE, "expected lists of one length")
        if not found:
            return None
        return [
            {
                name: item
                for name, value in found.items()
                if (item := value[index] if type(value) is list else value) is not None
            }
            for index in range(lengths.pop() if lengths else 1)
        ]

    return zip_lists


def hashed(pieces: Sequence[Getter], missing_is_null: bool) -> Getter:
    """A text of hex digits that is the same for the same values, whatever the order of their members.

    Null where a value is missing, unless that counts as one.
    """

    def hash_values(line: dict[str, Any]) -> str | None:
        values = [piece(line) for piece in pieces]
        if all(value is None for value in values):
            return None
        if not missing_is_null and any(value is None for value in values):
            return None
        return hashlib.sha256(_canonical(values)).hexdigest()[:_HASH_DIGITS]

    return hash_values


def _canonical(values: list[Any]) -> bytes:
    try:
        return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Nested deeper than orjson writes, by the list around it.
        return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
