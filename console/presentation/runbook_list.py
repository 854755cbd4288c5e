"""The runbook as a list: what shows, worst first; what nobody could look for; what does not show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from console.presentation.lines import Group, column_heads
from console.presentation.spans import Line, Role, Span, cut, fit, fit_text, line, spread
from console.presentation.states import SEVERITIES, Look
from console.state.runbook_state import DETECTED, UNKNOWN, KnownSymptom, RunbookReading
from console.state.symptoms_now import verdict_now
from pipeline.contracts.status import Freshness, SymptomStatus
from pipeline.contracts.untrusted import visible
from pipeline.reading import staleness
from pipeline.reading.durations import age_in_words, age_of, lasting_in_words, short_age, took_in_words

if TYPE_CHECKING:
    from pipeline.reading.incidents import IncidentGlance

_NAME = 22
_STATE = 8
_AGE_AND_SOURCE = 11
_WHO = 9
# From here there is room to say who works on it.
_WIDE = 100
_CLEAR = Look(" ", "clear", "text")
_OLD_CLEAR = Look("~", "stale", "dim")
_UNKNOWN = Look("?", "unknown", "warn")
_REPORTS = {
    "phase8-full-audit-report": "audit",
    "phase6-acceptance-report": "accept",
    "determinism": "2 runs",
}


# With the id of the symptom that it stands for; None for a line that only says more.
SymptomLine = tuple[str | None, Line]


def grouped(
    shown: Sequence[SymptomStatus], reading: RunbookReading, now: float, width: int
) -> list[Group[SymptomLine]]:
    """Four groups, as what is stale is not clear; one that is empty is left out. ``shown`` is the merged
    list, arranged.
    """
    found = [Group(f"DETECTED {len(shown)}", _shown_lines(shown, reading, now, width), _worst(shown))]
    rest = [each for each in reading.symptoms if verdict_now(each, shown) != DETECTED]
    blind = [each for each in rest if verdict_now(each, shown) == UNKNOWN]
    looks = {each.id: look_of(each, reading, now) for each in rest if each not in blind}
    blind += [each for each in rest if looks.get(each.id) is _UNKNOWN]
    old = [each for each in rest if looks.get(each.id) is _OLD_CLEAR]
    calm = [each for each in rest if looks.get(each.id) is _CLEAR]
    found.append(Group(f"UNKNOWN {len(blind)}", _other_lines(blind, reading, now, width), "warn"))
    found.append(Group(f"STALE {len(old)}", _other_lines(old, reading, now, width), "warn"))
    found.append(Group(f"CLEAR {len(calm)}", _other_lines(calm, reading, now, width)))
    return [group for group in found if group.items]


def _worst(shown: Sequence[SymptomStatus]) -> Role:
    return SEVERITIES[shown[0].severity].role if shown else "ok"


def _shown_lines(
    shown: Sequence[SymptomStatus], reading: RunbookReading, now: float, width: int
) -> tuple[SymptomLine, ...]:
    beneath = {each.id for each in shown}
    lines: list[SymptomLine] = []
    for each in shown:
        known, is_beneath = reading.symptom(each.id), each.beneath in beneath
        title = visible(known.title) if known is not None else ""
        who = reading.incident_of(each.id)
        lines.append((each.id, _shown_line(each, title, who, is_beneath, now, width)))
        if title:
            indent = " " * (_STATE + 6 if is_beneath else _STATE + 4)
            lines.append((None, cut(line(indent, Span(visible(each.observed, 400), "dim")), width)))
    return tuple(lines)


def _shown_line(
    symptom: SymptomStatus,
    title: str,
    incident: IncidentGlance | None,
    is_beneath: bool,
    now: float,
    width: int,
) -> Line:
    look = SEVERITIES[symptom.severity]
    role: Role = "badge" if symptom.severity == "critical" else look.role
    name = f"└ {visible(symptom.id)}" if is_beneath else visible(symptom.id)
    left = line(
        " ",
        Span(f"{look.mark} {fit_text(look.word, _STATE)}", role),
        " ",
        Span(f"{fit_text(name, _NAME)} ", "text" if is_beneath else "strong"),
        title or visible(symptom.observed, 400),
    )
    who = visible((incident.owner if incident is not None else "") or symptom.owner or "nobody")
    stale = symptom.origin.is_old
    seen = f"{'~' if stale else ''}{short_age(age_of(symptom.origin.as_of, now))}"
    right = line(
        Span(f" {fit_text(who, _WHO)}" if width >= _WIDE else ""),
        _age_and_source(seen, symptom.origin.source, stale=stale),
    )
    return spread(left, right, width)


def _age_and_source(age: str, source: str, *, stale: bool = False) -> Span:
    words = fit_text(source_words(source), _AGE_AND_SOURCE - 5).rstrip()
    return Span(f" {age} {words}".rjust(_AGE_AND_SOURCE) + " ", "warn" if stale else "dim")


def _other_lines(
    symptoms: Iterable[KnownSymptom], reading: RunbookReading, now: float, width: int
) -> tuple[SymptomLine, ...]:
    return tuple((each.id, _other_line(each, look_of(each, reading, now), now, width)) for each in symptoms)


def _other_line(symptom: KnownSymptom, look: Look, now: float, width: int) -> Line:
    left = line(
        " ",
        Span(f"{look.mark} {fit_text(look.word, _STATE)}", look.role),
        f" {fit_text(visible(symptom.id), _NAME)} ",
        Span(visible(symptom.observed, 400), "dim"),
    )
    right = line(
        Span(f" {'':{_WHO}}" if width >= _WIDE else ""),
        _age_and_source(short_age(age_of(symptom.as_of, now)), symptom.source),
    )
    return spread(left, right, width)


def look_of(symptom: KnownSymptom, reading: RunbookReading, now: float) -> Look:
    """A symptom that does not show. What an old report says, or an old look, is not shown as calm."""
    if symptom.verdict == UNKNOWN:
        return _UNKNOWN
    if reading.trouble or symptom.stale:
        return _OLD_CLEAR
    if symptom.source == "live":
        return _CLEAR
    freshness = staleness.of_verdict(symptom.as_of, now, inputs_changed=False)
    if freshness is Freshness.STALE:
        return _OLD_CLEAR
    return _CLEAR if freshness is Freshness.FRESH else _UNKNOWN


def source_words(source: str) -> str:
    """``live``, ``audit``, ``acceptance``, or the file's name."""
    if source in ("", "live"):
        return source or "-"
    stem = PurePosixPath(source).stem
    return visible(_REPORTS.get(stem, stem), 40)


def look_line(reading: RunbookReading, now: float, width: int) -> Line:
    """The detectors themselves: when they looked, what keeps them from it."""
    name = Span(" detectors  ", "dim")
    if reading.looking_since is not None:
        since = lasting_in_words(age_of(reading.looking_since, now))
        return fit(line(name, Span(f"» running for {since}", "accent"), *_before(reading, now)), width)
    if reading.trouble:
        return fit(line(name, Span("? failed", "warn"), *_before(reading, now)), width)
    if reading.read_at is None:
        return fit(line(name, Span("? never run", "warn")), width)
    took = f", took {took_in_words(reading.took_seconds)}"
    words = line(name, f"run {age_in_words(age_of(reading.read_at, now))} ago", Span(took, "dim"))
    if reading.next_look is not None:
        wait = age_in_words(max(0.0, reading.next_look - now))
        words = line(*words, Span(f" · files changed; re-run in {wait}, or r", "warn"))
    return fit(words, width)


def _before(reading: RunbookReading, now: float) -> Line:
    if reading.read_at is None:
        return ()
    return line(Span(f"; these results are {age_in_words(age_of(reading.read_at, now))} old", "dim"))


def column_line(width: int) -> Line:
    left = f"   {'state':<{_STATE}} {'symptom':<{_NAME}} what it is, or what was seen"
    who = f" {'who':<{_WHO}}" if width >= _WIDE else ""
    return column_heads(left, f"{who}{'age, from':>{_AGE_AND_SOURCE}} ", width)


def summary_words(shown: Sequence[SymptomStatus], reading: RunbookReading) -> str:
    """For the breadcrumb: how many show of how many."""
    known = {each.id for each in reading.symptoms} | {each.id for each in shown}
    return f"{len(shown)} of {len(known)} detected" if reading.symptoms else f"{len(shown)} detected"
