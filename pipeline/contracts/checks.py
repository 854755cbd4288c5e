"""What a check reports: status, what it examined, where it failed, how to run it again."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class CheckStatus(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    INFO = "info"
    ERROR = "error"
    NOT_EVALUATED = "not_evaluated"


class Example(BaseModel):
    """One place where a check failed. ``text`` is data: show it only as untrusted text."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    file: str | None = None
    line: int | None = None
    run_id: str | None = None
    text: str = ""

    def __str__(self) -> str:
        place = f"{self.file or ''}{f':{self.line}' if self.line is not None else ''}"
        return " ".join(piece for piece in (place, self.run_id, self.text) if piece)


class CheckResult(BaseModel):
    """The outcome of one check. ``examined`` and ``failed`` are counts, at least 0."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    phase: str
    required: bool
    status: CheckStatus
    examined: int = Field(ge=0)
    failed: int = Field(ge=0)
    threshold: str | None = None
    observed: str | None = None
    detail: str = ""
    examples: tuple[Example, ...] = ()
    reproduce: str = ""
    elapsed_seconds: float | None = None


class DriftStatus(StrEnum):
    SAME = "same"
    NOISY = "noisy"
    WARN = "warn"
    MISSING = "missing"
    NEW = "new"


class DriftCause(BaseModel):
    """One part of what moved a metric: ``share`` is its part of the whole change, signed."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    dimension: str  # stream, model, reason
    name: str  # data: show it only as untrusted text
    baseline: float
    current: float
    share: float


class DriftRow(BaseModel):
    """One metric against its baseline. ``delta_ratio`` is (current - baseline) / baseline.

    The anchor is the last value that somebody accepted or released, so that many small steps
    are seen too. ``dismissed`` is the note of an operator who has seen just this value.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    metric: str
    phase: str
    # An event leaves out what is None, so that each of these may be missing.
    baseline: float | None = None
    current: float | None = None
    delta_ratio: float | None = None
    z: float | None = None
    status: DriftStatus
    trend: tuple[float, ...] = ()
    since: str | None = None
    causes: tuple[DriftCause, ...] = ()
    kind: str = "count"  # count, rate or size
    anchor: float | None = None
    anchor_delta_ratio: float | None = None
    dismissed: str | None = None

    @property
    def warns(self) -> bool:
        """It moved or vanished, and nobody has dismissed it at this value."""
        return self.status in (DriftStatus.WARN, DriftStatus.MISSING) and self.dismissed is None
