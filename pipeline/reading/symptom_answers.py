"""PURE: which of two answers on one symptom stands, and how far all of them may be believed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.contracts.status import Answer, Freshness, Verdict
from pipeline.contracts.symptoms import Definition
from pipeline.reading import staleness

_LONG_AGO = float("-inf")
TOUCHED = "code or data were touched since; distill runbook detect looks anew"


def as_kept(look: Answer, touched_at: float) -> Answer:
    """A look that was kept, at a time when something was touched at ``touched_at``."""
    is_old = look.as_of is not None and touched_at > look.as_of and look.verdict is not Verdict.UNKNOWN
    return replace(look, stale=TOUCHED) if is_old else look


def newer(glance: Answer | None, look: Answer | None, now: float) -> Answer | None:
    """The one that was true later; of one age the look's, which sees more. None where there is neither.

    Who could not look silences no alarm, and where nothing was made yet there is nothing to see. What
    shows keeps the time at which it was first seen. What files alone told is gone once they do not.
    """
    if look is not None and glance is not None and is_taken_back(look, glance):
        return glance
    if glance is None or look is None or look.nothing_yet or glance.nothing_yet:
        return glance if look is None or (glance is not None and look.nothing_yet) else look
    agree = glance.verdict is look.verdict
    later, earlier = (glance, look) if _when(glance, now) > _when(look, now) else (look, glance)
    if agree and _when(glance, now) == _when(look, now):
        later = glance
    if later.verdict is Verdict.UNKNOWN and earlier.is_detected:
        later = replace(earlier, stale=later.observed)
    sightings = [moment for moment in (look.since, glance.since) if moment is not None]
    is_over = later.verdict is Verdict.CLEAR
    return replace(later, since=None if is_over else min(sightings, default=None))


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

    @property
    def is_whole(self) -> bool:
        """Whether all was evaluated: only then does silence mean that nothing is wrong."""
        return self.evaluated == self.total > 0


def tally(definitions: Sequence[Definition], answers: Iterable[Answer], now: float) -> Tally:
    known = {answer.id: answer for answer in answers}
    kinds = [_kind(known.get(definition.id), now) for definition in definitions]
    times = [
        answer.as_of
        for definition in definitions
        if (answer := known.get(definition.id)) is not None
        and answer.as_of is not None
        and answer.verdict is not Verdict.UNKNOWN
    ]
    return Tally(
        evaluated=kinds.count("evaluated"),
        unknown=kinds.count("unknown"),
        stale=kinds.count("stale"),
        never=kinds.count("never"),
        oldest=min(times, default=None),
    )


def _kind(answer: Answer | None, now: float) -> str:
    if answer is None or answer.nothing_yet:
        return "never"
    if answer.verdict is Verdict.UNKNOWN:
        return "unknown"
    return "evaluated" if freshness_of(answer, now) is Freshness.FRESH else "stale"
