"""The event log: time, level by mark, text; filtered by what an operator typed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from console.presentation.counts import count
from console.presentation.frame import PaneView
from console.presentation.spans import Line, Role, Span, line, spread
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import clock_time

if TYPE_CHECKING:
    from console.state.view_state import LogEntry

_LEVELS: dict[str, tuple[str, Role]] = {
    "error": ("X", "fail"),
    "warning": ("!", "warn"),
    "info": (" ", "text"),
    "debug": (" ", "dim"),
}


def log_line(entry: LogEntry, width: int) -> Line:
    mark, role = _LEVELS.get(entry.level, _LEVELS["info"])
    at = epoch_seconds(entry.at)
    moment = clock_time(at).rstrip("Z") if at is not None else "--:--:--"
    text = line(Span(f" {moment} ", "dim"), Span(f"{mark} ", role), Span(visible(entry.text), role))
    examined = line(Span(f"{count(entry.examined)} ", "dim")) if entry.examined is not None else ()
    return spread(text, examined, width)


def matching(entries: Iterable[LogEntry], wanted: str) -> list[LogEntry]:
    """Entries whose text or level holds each word of ``wanted``, whatever the case; ``!word`` excludes."""
    words = wanted.casefold().split()
    return [entry for entry in entries if all(_matches(entry, word) for word in words)]


def _matches(entry: LogEntry, word: str) -> bool:
    haystack = f"{entry.level} {visible(entry.text)}".casefold()
    if word.startswith("!"):
        return word == "!" or word[1:] not in haystack
    return word in haystack


def no_entries(trouble: str) -> Line:
    """Why there is none: none yet, or nobody knows, because of this ``trouble`` with the workspace."""
    return line(Span(f" ? {visible(trouble)}", "warn") if trouble else Span(" no events yet", "dim"))


def log_pane(entries: tuple[LogEntry, ...], width: int, height: int, trouble: str = "") -> PaneView:
    """The newest lines that fit, the newest last."""
    if not entries:
        return PaneView(6, "LOG", (no_entries(trouble),))
    lines = tuple(log_line(entry, width) for entry in entries[-max(1, height) :])
    aside = line(Span(f"UTC · {plural(len(entries), 'line')}", "dim"))
    return PaneView(6, "LOG", lines, aside, whole=len(entries))
