"""Timestamps to ISO 8601 in UTC, durations to milliseconds.

A time without a zone is taken as UTC: a log that says nothing is not asked to guess, and the
machine's own zone must not show in a row.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from pipeline.contracts.skips import SkipReason
from pipeline.settings.syntax import EPOCHS, MILLISECONDS
from pipeline.streams.misfit import MisfitError, wrong_type

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?\s?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?\Z"
)
_NUMBER_AND_UNIT = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?|\.[0-9]+)\s*([a-zµμ]*)\s*\Z")

_UNIT_WORDS = {
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), "ns"),
    **dict.fromkeys(("us", "µs", "μs", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "seconds"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "minutes"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hours"),
}


def timestamp(value: Any, formats: tuple[str, ...] = ("iso",)) -> str:
    """``2023-08-17T08:28:04Z``, read by the first of ``formats`` that fits. Raises MisfitError."""
    for name in formats:
        text = _in_utc(value, name)
        if text is not None:
            return text
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise wrong_type("a time", value)
    raise MisfitError(SkipReason.WRONG_TYPE, f"a time that is none of: {', '.join(formats)}")


def _in_utc(value: Any, name: str) -> str | None:
    if name == "epoch_ns" and type(value) is str and len(value) < 20 and value.isascii() and value.isdigit():
        # JSON of OpenTelemetry writes whole numbers of 64 bits as texts.
        value = int(value)
    if name not in EPOCHS:
        return _written_moment(value, name) if isinstance(value, str) else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        since = (
            timedelta(microseconds=value // 1000)
            if name == "epoch_ns"
            else timedelta(**{EPOCHS[name]: value})
        )
        return _text(_EPOCH + since)
    except OverflowError:
        return None


# Many lines share one time, the start of their run, and strptime takes longer than the rest of a line.
@lru_cache(maxsize=1024)
def _written_moment(value: str, name: str) -> str | None:
    try:
        if name == "iso":
            # fromisoformat takes any character between date and time, and week dates; a log that
            # looks like that is better declared with a format of its own.
            if not _ISO.match(value):
                return None
            moment = datetime.fromisoformat(
                value.upper().replace(" +", "+").replace(" -", "-").replace(" Z", "Z")
            )
        else:
            moment = datetime.strptime(value, name)  # noqa: DTZ007 the zone is settled below
        return _text(moment if moment.tzinfo is None else moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _text(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat() + "Z"


def milliseconds(value: Any, unit: str) -> float:
    """``58.912`` or ``"58.912 seconds"`` in milliseconds; ``unit`` counts where the value names none.

    Raises MisfitError.
    """
    number: float
    if isinstance(value, str):
        match = _NUMBER_AND_UNIT.match(value)
        word = match[2] if match else ""
        if match is None or (word and word not in _UNIT_WORDS):
            raise MisfitError(
                SkipReason.WRONG_TYPE, "expected a number and a unit of time, found another text"
            )
        number = float(match[1])
        unit = _UNIT_WORDS[word] if word else unit
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    else:
        raise wrong_type("a duration", value)
    # Nanoseconds are as fine as any log gets; rounding hides what binary fractions add.
    return round(number * MILLISECONDS[unit], 6)
