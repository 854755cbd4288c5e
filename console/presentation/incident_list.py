"""Incidents as a list: open ones first, each with its state, symptom, owner and age."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

from console.presentation.lines import Group, column_heads
from console.presentation.spans import EMPTY, Line, Role, Span, fit_text, line, spread
from console.presentation.states import Look
from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_of, day_or_time, short_age
from pipeline.reading.incidents import NEVER_OPENED, UNREADABLE

if TYPE_CHECKING:
    from pipeline.reading.incidents import IncidentGlance

_STATE = 11
_SYMPTOM = 20
_WHO = 9
_WIDE = 110
# One word for each state of a wizard, short enough for a column; the replay has the whole word.
STATES: dict[str, Look] = {
    "detected": Look("!", "detected", "warn"),
    "diagnosing": Look("!", "diagnosing", "warn"),
    "classified": Look("!", "classified", "warn"),
    "planned": Look("!", "planned", "warn"),
    "awaiting_approval": Look("!", "to approve", "warn"),
    "applying": Look("»", "applying", "accent"),
    "verifying": Look("X", "not green", "fail"),
    "resolved": Look(" ", "resolved", "ok"),
    "mitigated": Look("-", "mitigated", "strong"),
    "escalated": Look("!", "handed over", "warn"),
    "abandoned": Look("-", "left", "dim"),
    NEVER_OPENED: Look("-", "not opened", "dim"),
    UNREADABLE: Look("?", "unreadable", "warn"),
}
_OTHER = Look("?", "unknown", "warn")
BROKEN = Look("X", "broken", "fail")


def grouped(incidents: Sequence[IncidentGlance], broken: Container[str] = ()) -> list[Group[IncidentGlance]]:
    """Open first, then those whose record does not hold, then the rest; the newest first in each."""
    newest = sorted(incidents, key=lambda each: (each.opened or 0.0, each.id), reverse=True)
    waiting = tuple(each for each in newest if each.is_open and not _is_broken(each, broken))
    damaged = tuple(each for each in newest if _is_broken(each, broken))
    over = tuple(each for each in newest if not each.is_open and not _is_broken(each, broken))
    groups = (
        Group(f"OPEN {len(waiting)}", waiting, "warn"),
        Group(f"RECORD BROKEN {len(damaged)}", damaged, "fail"),
        Group(f"OVER {len(over)}", over),
    )
    return [group for group in groups if group.items]


def _is_broken(incident: IncidentGlance, broken: Container[str]) -> bool:
    return incident.id in broken or incident.state not in STATES or incident.state == UNREADABLE


def look_of(state: str) -> Look:
    return STATES.get(state, _OTHER)


def column_line(width: int) -> Line:
    left = f"   {'state':<{_STATE}} {'symptom':<{_SYMPTOM}} what"
    more = f" {'opened':>6} {'last':>4}" if width >= _WIDE else ""
    return column_heads(left, f"{'who':<{_WHO}}{more} {'age':>4} ", width)


def incident_line(incident: IncidentGlance, now: float, width: int, *, is_broken: bool = False) -> Line:
    """One incident. ``age`` is since it was opened, ``last`` since its last entry."""
    look = BROKEN if is_broken else look_of(incident.state)
    quiet: Role = "text" if incident.is_open else "dim"
    symptom = visible(incident.symptom) or ("by hand" if incident.title else "?")
    more = f"  {visible(incident.id)}" if width >= _WIDE and incident.title else ""
    left = line(
        " ",
        Span(f"{look.mark} {fit_text(look.word, _STATE)}", look.role),
        " ",
        Span(f"{fit_text(symptom, _SYMPTOM)} ", "strong" if incident.is_open else "text"),
        Span(visible(incident.title or incident.id, 200), quiet),
        Span(more, "dim"),
    )
    opened, last = day_or_time(incident.opened, now), short_age(age_of(incident.changed, now))
    right = line(
        Span(f" {fit_text(visible(incident.owner) or 'nobody', _WHO)}", quiet),
        Span(f" {opened:>6} {last:>4}" if width >= _WIDE else "", "dim"),
        Span(f" {short_age(age_of(incident.opened, now)):>4} ", "dim"),
    )
    return spread(left, right, width)


def summary_words(incidents: Sequence[IncidentGlance], broken: Container[str] = ()) -> str:
    """As the list groups them: of a broken record nobody knows whether it is open."""
    waiting = sum(each.is_open and not _is_broken(each, broken) for each in incidents)
    return f"{waiting} open of {len(incidents)}" if incidents else "none"


def nothing_lines(unread: str = "") -> list[Line]:
    """``unread`` is why they cannot be listed: then there may be some."""
    if unread:
        why = Span(f"  {paths.INCIDENTS} cannot be read: {visible(unread)}")
        return [EMPTY, line(" ", Span("? not known whether there are incidents", "warn")), line(why)]
    return [
        EMPTY,
        line(" ", Span("no incident yet", "ok"), "  No wizard has run in this workspace."),
        EMPTY,
        line("   ", Span("W", "key"), Span("  the runbook: detected symptoms and their wizards", "dim")),
        line(Span("      each wizard writes a journal, which is replayed here step by step", "dim")),
    ]


def trouble_line(notes: Sequence[str], width: int) -> Line:
    """What could not be read, in one line; empty when all could."""
    if not notes:
        return EMPTY
    more = f" (+{plural(len(notes) - 1, 'note')})" if len(notes) > 1 else ""
    return spread(line(Span(f" ? {visible(notes[0], 300)}{more}", "warn")), EMPTY, width)
