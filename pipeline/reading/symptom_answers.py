"""PURE: which of two answers on one symptom stands, and how far all of them may be believed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pipeline.contracts.faults import ExitCode, worst
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import Answer, Freshness, Verdict
from pipeline.contracts.symptoms import LEAK, Definition
from pipeline.reading import staleness
from pipeline.reading.durations import age_in_words, age_of

_LONG_AGO = float("-inf")
TOUCHED = "code or data changed since; re-run: distill runbook detect --full"
_LONG_UNASKED = "not run for more than a day; re-run: distill runbook detect --full"
_WITHOUT_A_TIME = "it has no time"
_FROM_THE_FUTURE = "its time lies in the future: check the clock"
_SEVERE = (Severity.CRITICAL, Severity.ERROR)


def as_kept(look: Answer, touched_at: float) -> Answer:
    """A look that was kept, at a time when something was touched at ``touched_at``."""
    is_old = look.as_of is not None and touched_at > look.as_of and look.verdict is not Verdict.UNKNOWN
    return replace(look, stale=TOUCHED) if is_old else look


def newer(glance: Answer | None, look: Answer | None, now: float) -> Answer | None:
    """The one that was true later; of one age the look's, which sees more. None where there is neither.

    Who could not look silences no alarm, and where nothing was made yet there is nothing to see. What
    shows has the time at which it was first seen. What files alone told is gone once they do not.
    """
    if look is not None and glance is not None and is_taken_back(look, glance):
        return _dated(glance, glance)
    if glance is None or look is None or look.nothing_yet or glance.nothing_yet:
        standing = glance if look is None or (glance is not None and look.nothing_yet) else look
        return standing and _dated(standing, standing)
    agree = glance.verdict is look.verdict
    later, earlier = (glance, look) if _when(glance, now) > _when(look, now) else (look, glance)
    if agree and _when(glance, now) == _when(look, now):
        later = glance
    if later.verdict is Verdict.UNKNOWN and earlier.is_detected:
        later = replace(earlier, stale=later.observed)
    return _dated(later, look, glance)


def not_silenced(look: Answer, before: Answer | None) -> Answer:
    """What stands after a look: one that could not see silences no alarm, which is stale from then on."""
    if look.is_blind and before is not None and before.is_detected:
        return replace(before, stale=look.observed)
    return look


def _dated(answer: Answer, *told_by: Answer) -> Answer:
    """``answer`` with the first sighting that was kept; without one, with the first that is told.

    What a report tells was seen when the report was made, and what shows now was seen now at the latest.
    """
    if answer.verdict is Verdict.CLEAR:
        return replace(answer, since=None)
    kept = [each.since for each in told_by if each.since is not None]
    told = [each.as_of for each in told_by if each.is_detected and each.as_of is not None]
    return replace(answer, since=min(kept or told, default=None))


def is_taken_back(look: Answer, glance: Answer | None) -> bool:
    """Whether files alone told what a look saw, and the glance does not see it any more."""
    is_blind = glance is not None and glance.verdict is Verdict.UNKNOWN and not glance.nothing_yet
    still_shows = glance is not None and glance.is_detected
    return look.by_glance and look.is_detected and not still_shows and not is_blind


def _when(answer: Answer, now: float) -> float:
    """A time to compare by. What claims to be from the future is believed least."""
    as_of = answer.as_of
    return _LONG_AGO if as_of is None or as_of > now + staleness.CLOCK_SLACK_SECONDS else as_of


def freshness_of(answer: Answer, now: float) -> Freshness:
    if answer.verdict is Verdict.UNKNOWN:
        return Freshness.UNKNOWN
    return staleness.of_verdict(answer.as_of, now, inputs_changed=bool(answer.stale))


class Standing(StrEnum):
    """How far an answer may be believed now: only EVALUATED ones are of what is there."""

    EVALUATED = "evaluated"
    UNKNOWN = "unknown"
    STALE = "stale"
    NEVER = "never"


def standing_of(answer: Answer | None, now: float) -> Standing:
    """A time that lies in the future is no time at all: what was seen then is not known."""
    if answer is None or answer.nothing_yet:
        return Standing.NEVER
    freshness = freshness_of(answer, now)
    if freshness is Freshness.FRESH:
        return Standing.EVALUATED
    return Standing.STALE if freshness is Freshness.STALE else Standing.UNKNOWN


def why_not_evaluated(answer: Answer, now: float) -> str:
    """Why an answer does not count as evaluated; what it said itself where nobody could look."""
    match standing_of(answer, now):
        case Standing.EVALUATED:
            return ""
        case Standing.STALE:
            return answer.stale or _LONG_UNASKED
        case Standing.UNKNOWN | Standing.NEVER:
            if answer.verdict is Verdict.UNKNOWN:
                return answer.observed
            return _WITHOUT_A_TIME if answer.as_of is None else _FROM_THE_FUTURE


def not_evaluated(answers: Iterable[Answer], now: float) -> list[str]:
    """``stale: S1.P2.materialize, S1.P3.distribution: code or data …``: each reason once."""
    words = {Standing.UNKNOWN: "unknown", Standing.STALE: "stale", Standing.NEVER: "never run"}
    found: dict[tuple[str, str], list[str]] = {}
    for answer in answers:
        word = words.get(standing_of(answer, now))
        if word is not None:
            found.setdefault((word, why_not_evaluated(answer, now)), []).append(answer.id)
    return [f"{word}: {', '.join(ids)}: {why}" for (word, why), ids in found.items()]


def exit_code_of(
    answers: Iterable[tuple[Definition, Answer]], now: float, *, failed_checks: bool = False
) -> ExitCode:
    """What a command ends with that says which symptoms show; the same in every face.

    10 for a breach, 1 for a severe symptom or a failed check. 5 for a severe one that could not be looked
    for, and for one that required checks tell and that nobody has asked of what is there now: what is
    stale is not clear. What was never made, or never looked for, changes nothing.
    """
    codes = [ExitCode.CHECK_FAILED] if failed_checks else []
    for definition, answer in answers:
        if definition.severity not in _SEVERE:
            continue
        standing = standing_of(answer, now)
        if answer.is_detected:
            codes.append(ExitCode.FIREWALL_BREACH if definition.id == LEAK else ExitCode.CHECK_FAILED)
        elif standing is Standing.UNKNOWN or (standing is Standing.STALE and definition.checks):
            codes.append(ExitCode.NOT_EVALUATED)
    return ExitCode(worst(codes))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many detectors gave which kind of answer, and how old the oldest one that counts is.

    ``stale`` answers are known and may be otherwise by now; ``never`` ran those that gave none yet.
    """

    evaluated: int = 0
    unknown: int = 0
    stale: int = 0
    never: int = 0
    oldest: float | None = None

    @property
    def total(self) -> int:
        return self.evaluated + self.unknown + self.stale + self.never

    def in_words(self, now: float) -> str:
        """``8 of 17 checks run, 2 unknown, 7 never, oldest 13m``: an answer is as old as what it saw."""
        if not self.total:
            return "no check has run yet"
        counted = ((self.unknown, "unknown"), (self.stale, "stale"), (self.never, "never"))
        pieces = [f"{self.evaluated} of {self.total} checks run"]
        pieces += [f"{count} {word}" for count, word in counted if count]
        if self.oldest is not None:
            pieces.append(f"oldest {age_in_words(age_of(self.oldest, now))}")
        return ", ".join(pieces)

    @property
    def is_whole(self) -> bool:
        """Whether all was evaluated: only then does silence mean that nothing is wrong."""
        return self.evaluated == self.total > 0


def tally(definitions: Sequence[Definition], answers: Iterable[Answer], now: float) -> Tally:
    known = {answer.id: answer for answer in answers}
    found = [(known.get(each.id), standing_of(known.get(each.id), now)) for each in definitions]
    standings = [standing for _, standing in found]
    times = [
        answer.as_of
        for answer, standing in found
        if answer is not None
        and answer.as_of is not None
        and standing in (Standing.EVALUATED, Standing.STALE)
    ]
    return Tally(
        evaluated=standings.count(Standing.EVALUATED),
        unknown=standings.count(Standing.UNKNOWN),
        stale=standings.count(Standing.STALE),
        never=standings.count(Standing.NEVER),
        oldest=min(times, default=None),
    )
