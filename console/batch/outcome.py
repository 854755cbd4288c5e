"""What a part of a batch came to, and the batch as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from console.batch.parts import Part
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftRow
from pipeline.contracts.faults import ExitCode
from pipeline.platform.lenient_json import Json


class PartState(StrEnum):
    """How far a part came. Only ``RAN`` has an exit code of its own."""

    RAN = "ran"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    NOT_RUN = "not_run"  # something before it stopped the batch


class Word(StrEnum):
    """The one word for a part, in the verdict and in every report."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    BREACH = "breach"
    ERROR = "error"
    NOT_EVALUATED = "not_evaluated"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    NOT_RUN = "not_run"


_WORD_OF_CODE: dict[int, Word] = {
    ExitCode.OK: Word.PASS,
    ExitCode.WARNINGS: Word.WARN,
    ExitCode.CHECK_FAILED: Word.FAIL,
    ExitCode.FIREWALL_BREACH: Word.BREACH,
    ExitCode.NOT_EVALUATED: Word.NOT_EVALUATED,
}
TROUBLE = (Word.FAIL, Word.BREACH, Word.ERROR, Word.NOT_EVALUATED, Word.TIMED_OUT)
BAD_CHECKS = (CheckStatus.FAIL, CheckStatus.ERROR, CheckStatus.NOT_EVALUATED)


@dataclass(frozen=True, slots=True)
class Symptom:
    """Something is wrong now, as the detectors say it."""

    id: str
    severity: str
    observed: str
    next_step: str


@dataclass(frozen=True, slots=True)
class PartOutcome:
    """``said`` is a short phrase for the verdict, ``detail`` a sentence when it did not go well.

    ``report`` is the part's own report as it printed it; checks and drift are taken out of it.
    """

    part: Part
    state: PartState
    exit_code: int | None = None
    elapsed_seconds: float = 0.0
    said: str = ""
    detail: str = ""
    warnings: tuple[str, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    drift: tuple[DriftRow, ...] = ()
    symptoms: tuple[Symptom, ...] = ()
    report: Json = field(default_factory=dict)

    @property
    def word(self) -> Word:
        if self.state is PartState.SKIPPED:
            return Word.SKIPPED
        if self.state is PartState.TIMED_OUT:
            return Word.TIMED_OUT
        if self.state is PartState.NOT_RUN or self.exit_code is None:
            return Word.NOT_RUN
        word = _WORD_OF_CODE.get(self.exit_code, Word.ERROR)
        return Word.WARN if word is Word.PASS and self.warnings else word


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """All parts in their order. ``stopped_by`` is the exit code of a signal that ended the batch.

    ``incident`` is the one of a breach that stood at the start.
    """

    batch_id: str
    workspace: str
    started: float
    finished: float
    parts: tuple[PartOutcome, ...]
    fail_on_warn: bool = False
    timeout_seconds: float | None = None
    stopped_by: int | None = None
    incident: str = ""

    def part(self, name: Part) -> PartOutcome | None:
        return next((part for part in self.parts if part.part is name), None)

    @property
    def elapsed_seconds(self) -> float:
        return max(0.0, self.finished - self.started)
