"""PURE: one list of symptoms from two that overlap, decided here and nowhere else.

The console's own detectors cost a few ``stat`` calls and look every two seconds; the runbook's cost
a process and look when something changed. Where both know a symptom, the one that was true last
is believed; of the same age, the runbook's, which looks deeper. A detector that could not look
says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from console.state.runbook_state import CLEAR, UNKNOWN, KnownSymptom, RunbookReading
from console.state.staleness import CLOCK_SLACK_SECONDS, of_verdict
from pipeline.contracts.status import Freshness, Origin, Severity, SymptomStatus

SEVERITY_ORDER = {Severity.CRITICAL: 0, Severity.ERROR: 1, Severity.WARNING: 2, Severity.INFO: 3}
LEAK = "S1.P4.sft-leak"
# What a few stat calls can tell as well as the runbook can: that they no longer see it counts at once.
SEEN_BY_STAT = frozenset(("S1.P0.recon-doc", "S6.replay-log"))
# Here stat is not enough: somebody may have accepted, with a note, that a stream is empty.
RUNBOOK_DECIDES = frozenset(("S1.P0.source-missing",))
_LONG_AGO = float("-inf")


def merge(
    light: Sequence[SymptomStatus], reading: RunbookReading, cleared: dict[str, float], now: float
) -> tuple[SymptomStatus, ...]:
    """What shows at ``now``, arranged. ``cleared`` says when the light detectors saw an id gone."""
    by_id = {symptom.id: symptom for symptom in light}
    shown = [
        symptom if known is None else _believed(symptom, known, now)
        for symptom in light
        for known in (reading.symptom(symptom.id),)
        if known is None or not _is_over(symptom, known, now)
    ]
    for known in reading.symptoms:
        gone_at = cleared.get(known.id, _LONG_AGO)
        if known.is_detected and known.id not in by_id and _when(known.as_of, now) >= gone_at:
            shown.append(_as_status(known, reading, now))
    return arranged(_owned(_beneath(symptom, shown, reading), reading) for symptom in shown)


def _is_over(light: SymptomStatus, known: KnownSymptom, now: float) -> bool:
    """Whether the runbook looked later, or as late and deeper, and found nothing."""
    if known.verdict != CLEAR:
        return False
    return light.id in RUNBOOK_DECIDES or _when(known.as_of, now) >= _when(light.origin.as_of, now)


def _believed(light: SymptomStatus, known: KnownSymptom, now: float) -> SymptomStatus:
    """The light detector's word on something that the runbook has a wizard for."""
    since = [moment for moment in (light.since, known.since) if moment is not None]
    deeper = known.is_detected and _when(known.as_of, now) >= _when(light.origin.as_of, now)
    return replace(
        light,
        severity=known.severity,
        observed=known.observed if deeper else light.observed,
        since=min(since, default=None),
        next_step=open_command(light.id),
    )


def _as_status(known: KnownSymptom, reading: RunbookReading, now: float) -> SymptomStatus:
    why = reading.trouble[0] if reading.trouble else ""
    if known.source == "live":
        freshness = Freshness.STALE if why else Freshness.FRESH
    else:
        freshness = of_verdict(known.as_of, now, inputs_changed=bool(why))
    return SymptomStatus(
        known.id,
        known.severity,
        known.observed or known.title,
        Origin(known.source, known.as_of, freshness, why),
        open_command(known.id),
        since=known.since,
    )


def open_command(symptom_id: str) -> str:
    return f"distill runbook open {symptom_id}"


def _beneath(
    symptom: SymptomStatus, shown: Sequence[SymptomStatus], reading: RunbookReading
) -> SymptomStatus:
    """Set beneath the first of the symptoms that explain it, where one shows too."""
    known = reading.symptom(symptom.id)
    ids = {each.id for each in shown}
    above = next((each for each in known.explained_by if each in ids), None) if known else None
    return replace(symptom, beneath=above) if above != symptom.beneath else symptom


def _owned(symptom: SymptomStatus, reading: RunbookReading) -> SymptomStatus:
    incident = reading.incident_of(symptom.id)
    return replace(symptom, owner=incident.owner or None) if incident is not None else symptom


def _when(as_of: float | None, now: float) -> float:
    """A time to compare by. What claims to be from the future is believed least."""
    return _LONG_AGO if as_of is None or as_of > now + CLOCK_SLACK_SECONDS else as_of


def arranged(symptoms: Iterable[SymptomStatus]) -> tuple[SymptomStatus, ...]:
    """Worst first, each with those that it explains right beneath it.

    One that explains a worse one stands where the worse one would. Within a severity the order
    in which they came stays.
    """
    known = list(symptoms)
    ids = {each.id for each in known}
    roots = [each for each in known if each.beneath not in ids or _turns_in_a_circle(each, known)]
    groups = [[root, *_below(root, known, {root.id})] for root in roots]
    groups.sort(key=lambda group: min(SEVERITY_ORDER[each.severity] for each in group))
    placed = dict.fromkeys(each for group in groups for each in group)
    return tuple(placed)


def _below(above: SymptomStatus, known: Sequence[SymptomStatus], seen: set[str]) -> list[SymptomStatus]:
    found = []
    beneath = [each for each in known if each.beneath == above.id and each.id not in seen]
    for each in sorted(beneath, key=lambda one: SEVERITY_ORDER[one.severity]):
        seen.add(each.id)
        found += [each, *_below(each, known, seen)]
    return found


def _turns_in_a_circle(symptom: SymptomStatus, known: Sequence[SymptomStatus]) -> bool:
    """Whether the way up leads back: each would explain the other, and neither may vanish."""
    above = {each.id: each.beneath for each in known}
    seen, at = {symptom.id}, above.get(symptom.id)
    while at is not None and at not in seen:
        seen.add(at)
        at = above.get(at)
    return at is not None


def verdict_now(known: KnownSymptom, shown: Sequence[SymptomStatus]) -> str:
    """The word for a symptom in a list of all: what the merged list says wins over an older look."""
    if any(each.id == known.id for each in shown):
        return "detected"
    return CLEAR if known.is_detected else known.verdict or UNKNOWN
