"""Ages and durations as people read them: at most two units, and never a negative age.

Ages advance in steps, so that an idle screen writes nothing: by the second up to ten, by ten
seconds up to a minute, then by the minute.
"""

from __future__ import annotations

from datetime import UTC, datetime

LIVE_SECONDS = 2.0
_CLOCK_SLACK_SECONDS = 2.0


def age_in_words(seconds: float | None) -> str:
    """``3s``, ``40s``, ``4m``, ``2h 12m``, ``3d 4h``; ``-`` when never; ``clock?`` from the future."""
    if seconds is None:
        return "-"
    if seconds < -_CLOCK_SLACK_SECONDS:
        return "clock?"
    whole = max(0, int(seconds))
    if whole < 10:
        return f"{whole}s"
    if whole < 60:
        return f"{whole // 10 * 10}s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h {minutes}m" if minutes else f"{hours}h"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours}h" if hours else f"{days}d"


def short_age(seconds: float | None) -> str:
    """One unit, for narrow columns: ``3s``, ``4m``, ``2h``, ``3d``."""
    return age_in_words(seconds).split(" ", 1)[0]


def took_in_words(seconds: float | None) -> str:
    """How long something took: ``0.1s``, ``41s``, ``4m 05s``, ``2h 07m``; ``-`` when not known."""
    if seconds is None or seconds < 0:
        return "-"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m"


def lasting_in_words(seconds: float | None) -> str:
    """How long something that somebody waits for lasts, by the second: ``3s``, ``41s``, ``4m 05s``,
    ``2h 07m``; ``-`` when not known. An age would stand still for ten seconds, and look as if it hung.
    """
    if seconds is None:
        return "-"
    whole = max(0, int(seconds))
    return f"{whole}s" if whole < 10 else took_in_words(whole)


def read_ago(seconds: float | None) -> str:
    """How fresh a live fact is; within the live limit the seconds would only flicker."""
    if seconds is None:
        return "not read"
    if -_CLOCK_SLACK_SECONDS <= seconds <= LIVE_SECONDS:
        return "live"
    return f"read {age_in_words(seconds)} ago"


def age_of(as_of: float | None, now: float) -> float | None:
    """Seconds between two times since the epoch; None when there is no first one."""
    return None if as_of is None else now - as_of


def clock_time(moment: float | None) -> str:
    """``08:40:31Z``; ``-`` when there is none."""
    return "-" if moment is None else f"{_utc(moment):%H:%M:%S}Z"


def clock_minute(moment: float) -> str:
    """``Mon 2026-04-27 08:41Z``: no seconds, so that a quiet screen stays quiet."""
    return f"{_utc(moment):%a %Y-%m-%d %H:%M}Z"


def day_or_time(moment: float | None, now: float) -> str:
    """``06:00`` today, the day of the week within six days, else the date."""
    if moment is None:
        return "-"
    then, today = _utc(moment), _utc(now)
    days = (today.date() - then.date()).days
    if days == 0:
        return f"{then:%H:%M}"
    return f"{then:%a}" if 0 < days < 7 else f"{then:%d %b}"


def _utc(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
