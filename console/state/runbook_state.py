"""PURE: what the runbook's detectors said last, as this console keeps it.

``distill runbook detect --json`` is read leniently: a child that was broken, or is of another
version, costs what it damaged. A symptom whose verdict is no known word is *unknown*, never clear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from pipeline.contracts.severity import Severity
from pipeline.contracts.status import Answer, Verdict
from pipeline.platform.lenient_json import Json, objects_of, record_of, text_of

if TYPE_CHECKING:
    from pipeline.reading.incidents import IncidentGlance

DETECTED, CLEAR, UNKNOWN = "detected", "clear", "unknown"
_VERDICTS = (DETECTED, CLEAR, UNKNOWN)
_SEVERITIES = {str(severity): severity for severity in Severity}


@dataclass(frozen=True, slots=True)
class KnownSymptom:
    """One symptom of the runbook: its page, and what its detector saw. All texts are data.

    ``as_of`` is when that was true, ``since`` when it was first seen here, ``stale`` why it may be otherwise
    by now. ``causes`` are (id,
    sentence), ``by_hand`` (words, command); a command may be empty.
    """

    id: str
    severity: Severity
    verdict: str = UNKNOWN
    observed: str = ""
    source: str = ""
    as_of: float | None = None
    since: float | None = None
    reproduce: str = ""
    live: bool = False
    nothing_yet: bool = False
    by_glance: bool = False
    contained: bool = False
    stale: str = ""
    title: str = ""
    what_you_see: str = ""
    why: str = ""
    phases: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    explained_by: tuple[str, ...] = ()
    causes: tuple[tuple[str, str], ...] = ()
    by_hand: tuple[tuple[str, str], ...] = ()

    @property
    def answer(self) -> Answer:
        return Answer(
            Verdict(self.verdict),
            self.observed,
            self.as_of,
            self.source,
            self.nothing_yet,
            since=self.since,
            stale=self.stale,
            id=self.id,
            by_glance=self.by_glance,
            contained=self.contained,
        )

    @property
    def is_detected(self) -> bool:
        return self.verdict == DETECTED


@dataclass(frozen=True, slots=True)
class RunbookReading:
    """``read_at`` is when the last look that succeeded ended; ``trouble`` why the last one did not.

    ``looking_since`` is set while a look is at work, ``next_look`` while one is owed but waits
    for its share of the processor. ``incidents_unread`` is why their folder cannot be listed.
    """

    symptoms: tuple[KnownSymptom, ...] = ()
    read_at: float | None = None
    took_seconds: float | None = None
    looking_since: float | None = None
    next_look: float | None = None
    trouble: tuple[str, ...] = ()
    incidents: tuple[IncidentGlance, ...] = ()
    incidents_unread: str = ""

    def symptom(self, symptom_id: str) -> KnownSymptom | None:
        return next((each for each in self.symptoms if each.id == symptom_id), None)

    def incident_of(self, symptom_id: str) -> IncidentGlance | None:
        """The newest open incident of a symptom."""
        found = [each for each in self.incidents if each.symptom == symptom_id and each.is_open]
        return found[-1] if found else None


def parse(data: bytes) -> tuple[KnownSymptom, ...]:
    """The symptoms of one answer, in the runbook's order. Raises ValueError for what is no answer."""
    known = known_symptoms(orjson.loads(data))
    if not known:
        raise ValueError("it names no symptom")
    return known


def known_symptoms(answer: object) -> tuple[KnownSymptom, ...]:
    return tuple(_symptom(row) for row in objects_of(answer, "symptoms") if text_of(row, "id"))


def _symptom(row: Json) -> KnownSymptom:
    verdict = text_of(row, "verdict")
    return record_of(
        KnownSymptom,
        row,
        severity=_SEVERITIES.get(text_of(row, "severity") or "", Severity.ERROR),
        verdict=verdict if verdict in _VERDICTS else UNKNOWN,
        causes=_pairs(row, "causes", "id", "sentence"),
        by_hand=_pairs(row, "by_hand", "says", "command"),
    )


def _pairs(row: Json, name: str, first: str, second: str) -> tuple[tuple[str, str], ...]:
    return tuple((text_of(each, first) or "", text_of(each, second) or "") for each in objects_of(row, name))
