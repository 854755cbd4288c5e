"""What was observed and what it means: detections, probe outputs, evidence, causes.

All of it is plain data that goes into the journal and comes back out of it. Texts may quote
files and are raw here: show them through ``untrusted.visible``. Times are seconds since the
epoch.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from pipeline.contracts.status import Answer, Verdict


class Record(BaseModel):
    """Base of everything that a journal keeps."""

    # ``defer_build``: a process uses few of these, and each is made when it is first used.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Stance(StrEnum):
    FOR = "for"
    AGAINST = "against"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How far the evidence carries a cause. ``CERTAIN`` means that nothing speaks against it."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"


class Evidence(Record):
    """One fact. ``source`` is the file (with line) or command that it was read from."""

    stance: Stance
    says: str
    source: str
    read_at: float
    lines: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, stance: Stance, says: str, source: str, read_at: float, lines: tuple[str, ...] = ()
    ) -> Evidence:
        return cls(stance=stance, says=says, source=source, read_at=read_at, lines=lines)

    @property
    def turned(self) -> Evidence:
        """The same fact for a cause that needs the opposite."""
        opposite = {Stance.FOR: Stance.AGAINST, Stance.AGAINST: Stance.FOR}
        return self.model_copy(update={"stance": opposite.get(self.stance, self.stance)})


# What a detection has of its answer, by the same names.
OF_ANSWER = (
    *("verdict", "observed", "as_of", "source", "nothing_yet", "explained_by"),
    *("by_glance", "stale", "contained"),
)


class Detection(Record):
    """What a detector saw. ``as_of`` is when it was true: a report's own time, or ``read_at``.

    ``source`` is ``live`` or the report's path. ``facts`` carries what the diagnosis starts from.
    ``nothing_yet``: not known, because what it looks at was never made; that is no blindness.
    ``explained_by`` are symptoms that explain just this one, beside those that always would.
    ``by_glance``, ``stale``, ``contained``: as in ``Answer``.
    """

    symptom_id: str
    verdict: Verdict
    observed: str
    read_at: float
    as_of: float | None
    source: str = "live"
    reproduce: str = ""
    evidence: tuple[Evidence, ...] = ()
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    nothing_yet: bool = False
    explained_by: tuple[str, ...] = ()
    by_glance: bool = False
    stale: str = ""
    contained: bool = False

    @property
    def answer(self) -> Answer:
        """The same as whoever shows it keeps it: without what only a diagnosis needs."""
        answer = Answer(**{name: getattr(self, name) for name in OF_ANSWER}, id=self.symptom_id)
        blind = self.verdict is Verdict.UNKNOWN and not self.nothing_yet
        return replace(answer, as_of=self.read_at) if self.as_of is None and blind else answer

    def age_seconds(self, now: float) -> float | None:
        """How old this knowledge is; None when nobody can say."""
        return None if self.as_of is None else max(0.0, now - self.as_of)


class ProbeOutput(Record):
    """One read-only look. ``text`` is what it printed, ``data`` the same for machines."""

    probe_id: str
    title: str
    argv: tuple[str, ...] = ()
    exit_code: int | None = None
    text: str = ""
    data: JsonValue = None
    trouble: str = ""
    timed_out: bool = False
    took_seconds: float = 0.0
    read_at: float = 0.0

    @property
    def members(self) -> dict[str, JsonValue]:
        """``data`` where it is an object; empty after a probe that failed."""
        return self.data if isinstance(self.data, dict) else {}


class Cause(Record):
    """Why it happened. ``places`` name file, field, row, commit or writer, one a line."""

    id: str
    sentence: str
    confidence: Confidence
    places: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class Diagnosis(Record):
    """The cause, and the causes that were looked at and set aside.

    ``facts`` is what plans are made from: paths, commit, stream, field. ``see`` names the symptom
    whose wizard goes on from here, when that is the answer.
    """

    cause: Cause
    considered: tuple[Cause, ...] = ()
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    see: str | None = None

    @property
    def is_known(self) -> bool:
        return self.cause.confidence is not Confidence.UNKNOWN
