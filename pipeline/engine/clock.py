"""The one clock of a run: everything else is handed its value."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from pipeline.contracts.faults import SettingsError

_ISO_UTC = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z\Z")


def now_iso() -> str:
    """The present moment, ISO 8601 in UTC with milliseconds and a ``Z``."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def monotonic() -> float:
    """Seconds for durations; unaffected by a clock that jumps."""
    return time.monotonic()


def checked_recorded_at(value: str | None) -> str:
    """The value of ``--recorded-at``, or the present moment. Raises SettingsError."""
    if value is None:
        return now_iso()
    if _ISO_UTC.match(value):
        try:
            datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            pass
        else:
            return value
    raise SettingsError.of(
        code="bad_recorded_at",
        what_happened=f"--recorded-at {value!r} is not a UTC time like 2026-04-27T00:00:00Z.",
        kept_safe="Nothing was written.",
        do_next="Give the time in that form, or leave the option out to use the present moment.",
        value=value,
    )
