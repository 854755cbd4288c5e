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


def iso_utc(seconds: float) -> str | None:
    """``seconds`` since the epoch as ``2026-04-27T08:41:07Z``; None past the calendar's ends."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


def now_utc() -> str:
    """The present moment in that form."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def precise_utc(seconds: float) -> str:
    """``2026-04-27T08:41:07.250000Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
