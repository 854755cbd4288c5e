"""PURE: the symptoms that show, arranged, from what is known of every one; the same in every face."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from console.state.detectors import definition_of, definitions
from console.state.runbook_state import CLEAR, UNKNOWN, KnownSymptom, RunbookReading
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import (
    Answer,
    FirewallStatus,
    FirewallWord,
    Origin,
    PhaseState,
    PhaseStatus,
    SymptomStatus,
)
from pipeline.contracts.symptoms import LEAK, SEVERITY_ORDER
from pipeline.reading.firewall_words import leak_answer
from pipeline.reading.symptom_answers import exit_code_of, freshness_of, newer

_NO_READING = RunbookReading()
# A look that has just been heard is not old because the next one failed.
_JUST_NOW_SECONDS = 10.0


def with_firewall(answers: Sequence[Answer], firewall: FirewallStatus, now: float) -> tuple[Answer, ...]:
    """``answers`` with the firewall's latest word, which one reading of the files does not have."""
    known = {answer.id: answer for answer in answers}
    before = known.get(LEAK)
    ever_made = before is None or not before.nothing_yet
    heard = leak_answer(firewall, now, ever_made=ever_made)
    if before is not None and before.is_detected and before.by_glance:
        # The file that stands says nothing of the one that a run replaced, unless it is in breach itself.
        if heard is None or not heard.is_detected:
            return tuple(answers)
        answers = [each for each in answers if each is not before]
    if before is not None and heard is not None:
        # Of two that could not look at one moment, the firewall's own words stand.
        return _instead(answers, replace(newer(heard, before, now) or heard, id=LEAK))
    return _with(answers, heard, LEAK, now)


def with_looks(answers: Sequence[Answer], looks: Iterable[Answer], now: float) -> tuple[Answer, ...]:
    """``answers`` with looks of this process, which may not be kept on disk (or not yet)."""
    for look in looks:
        answers = _with(answers, look, look.id, now)
    return tuple(answers)


def _with(answers: Sequence[Answer], heard: Answer | None, symptom_id: str, now: float) -> tuple[Answer, ...]:
    before = next((answer for answer in answers if answer.id == symptom_id), None)
    answer = newer(before, heard, now)
    if answer is None:
        return tuple(answers)
    return _instead(answers, replace(answer, id=symptom_id))


def _instead(answers: Sequence[Answer], answer: Answer) -> tuple[Answer, ...]:
    return (*(each for each in answers if each.id != answer.id), answer)


def showing(
    answers: Iterable[Answer], now: float, reading: RunbookReading = _NO_READING
) -> tuple[SymptomStatus, ...]:
    """What is detected, worst first, each with who works on it and what explains it."""
    known = {answer.id: answer for answer in answers}
    if not any(answer.is_detected for answer in known.values()):
        return ()
    order = [*dict.fromkeys((*(each.id for each in definitions()), *known))]
    found = {name: known[name] for name in order if name in known and known[name].is_detected}
    return arranged(_status(answer, found, reading, now) for answer in found.values())


def keeping_first(answers: Iterable[Answer], before: Iterable[Answer]) -> tuple[Answer, ...]:
    """``answers`` with the time at which this process saw first what it goes on seeing.

    What is live is told as of every reading anew, until somebody has kept its first sighting.
    """
    seen = {each.id: each.since for each in before if each.is_detected}
    return tuple(
        replace(each, since=min(each.since, first))
        if each.is_detected and each.since is not None and (first := seen.get(each.id)) is not None
        else each
        for each in answers
    )


def _status(
    answer: Answer, shown: Mapping[str, Answer], reading: RunbookReading, now: float
) -> SymptomStatus:
    definition = definition_of(answer.id)
    is_unsure = bool(reading.trouble) and (answer.as_of or 0.0) < now - _JUST_NOW_SECONDS
    stale = answer.stale or (reading.trouble[0] if is_unsure else "")
    above = (*(definition.explained_by if definition else ()), *answer.explained_by)
    incident = reading.incident_of(answer.id)
    return SymptomStatus(
        answer.id,
        definition.severity if definition else Severity.ERROR,
        answer.observed or (definition.title if definition else ""),
        Origin(answer.source, answer.as_of, freshness_of(replace(answer, stale=stale), now), stale),
        open_command(answer.id),
        owner=(incident.owner or None) if incident is not None else None,
        since=answer.since,
        beneath=next((each for each in above if each in shown), None),
    )


def first_seen(firewall: FirewallStatus, symptoms: Iterable[SymptomStatus]) -> FirewallStatus:
    """A breach with the time at which anybody saw it first."""
    leak = next((each for each in symptoms if each.id == LEAK), None)
    is_breach = firewall.state is FirewallWord.BREACH and leak is not None
    return replace(firewall, since=leak.since) if is_breach and leak is not None else firewall


def exit_code(
    answers: Iterable[Answer], phases: Iterable[PhaseStatus], firewall: FirewallStatus, now: float
) -> ExitCode:
    """What a face that shows all of it ends with. A check that never ran changes nothing."""
    if firewall.state is FirewallWord.BREACH:
        return ExitCode.FIREWALL_BREACH
    known = {each.id: each for each in definitions()}
    pairs = [(known[answer.id], answer) for answer in answers if answer.id in known]
    return exit_code_of(pairs, now, failed_checks=any(phase.state is PhaseState.FAIL for phase in phases))


def open_command(symptom_id: str) -> str:
    return f"distill runbook open {symptom_id}"


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
