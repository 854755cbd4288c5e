"""Moments as text, in events, reports and receipts."""

from __future__ import annotations

from datetime import UTC, datetime


def epoch_seconds(text: object) -> float | None:
    """The time in an ISO 8601 text, as seconds since the epoch; None for anything else.

    A text without an offset is read as UTC, which is the only zone that is ever written.
    """
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
