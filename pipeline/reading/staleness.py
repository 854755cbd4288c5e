"""From an age to a word: the only place that knows when a value is too old to believe.

Two rules. *Live* facts (firewall, lock, a running job) are fresh up to 2 s, ageing up to 10 s,
stale up to 60 s and unknown after that. *Verdicts* of a run or an audit are fresh up to 26 h
(a daily job plus two hours) as long as their inputs did not change. A time in the future is
neither: it reads ``clock?``.
"""

from __future__ import annotations

from pipeline.contracts.status import Freshness

LIVE_FRESH_SECONDS = 2.0
LIVE_STALE_SECONDS = 10.0
LIVE_UNKNOWN_SECONDS = 60.0
VERDICT_STALE_SECONDS = 26 * 3600.0
# Two machines on one network file system disagree by this much without anything being wrong.
CLOCK_SLACK_SECONDS = 2.0


def age_seconds(as_of: float | None, now: float) -> float | None:
    """The age, at least 0. None when the time is unknown or lies in the future."""
    if as_of is None or as_of > now + CLOCK_SLACK_SECONDS:
        return None
    return max(0.0, now - as_of)


def of_live(as_of: float | None, now: float) -> Freshness:
    """Freshness of something that is read over and over."""
    if as_of is None:
        return Freshness.UNKNOWN
    age = age_seconds(as_of, now)
    if age is None:
        return Freshness.CLOCK
    if age <= LIVE_FRESH_SECONDS:
        return Freshness.FRESH
    if age <= LIVE_STALE_SECONDS:
        return Freshness.AGEING
    return Freshness.STALE if age <= LIVE_UNKNOWN_SECONDS else Freshness.UNKNOWN


def of_verdict(as_of: float | None, now: float, *, inputs_changed: bool) -> Freshness:
    """Freshness of a verdict on files. Changed inputs win over any age."""
    if as_of is None:
        return Freshness.UNKNOWN
    age = age_seconds(as_of, now)
    if age is None:
        return Freshness.CLOCK
    return Freshness.STALE if inputs_changed or age > VERDICT_STALE_SECONDS else Freshness.FRESH
