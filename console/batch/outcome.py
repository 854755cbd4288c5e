"""PURE: what a part of a batch came to; from all of them to one exit code and one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from console.batch.parts import Part
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftRow
from pipeline.contracts.faults import ExitCode, worst
from pipeline.contracts.untrusted import visible
from pipeline.platform.lenient_json import Json
from pipeline.reading.durations import took_in_words


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
    ``incident`` is the one of a breach that stood at the start. ``folder`` is the workspace below the top of
    its repository, empty for the top. ``untold`` is the exit code of a report or an event that could not be
    written, whatever the parts came to.
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
    folder: str = ""
    untold: int | None = None

    def part(self, name: Part) -> PartOutcome | None:
        return next((part for part in self.parts if part.part is name), None)

    @property
    def elapsed_seconds(self) -> float:
        return max(0.0, self.finished - self.started)


_WORDS: dict[int, str] = {
    ExitCode.OK: "PASS",
    ExitCode.WARNINGS: "WARN",
    ExitCode.CHECK_FAILED: "FAIL",
    ExitCode.NOT_EVALUABLE: "ERROR",
    ExitCode.NOT_EVALUATED: "NOT EVALUATED",
    ExitCode.FIREWALL_BREACH: "BREACH",
    ExitCode.LOCKED: "LOCKED",
    ExitCode.USAGE: "USAGE",
    ExitCode.INTERRUPTED: "INTERRUPTED",
    ExitCode.TERMINATED: "TERMINATED",
}
LINE_CHARACTERS = 1000


def exit_code(batch: BatchOutcome) -> int:
    """What the batch ends with. What was skipped decides nothing."""
    codes = [] if batch.untold is None else [batch.untold]
    if batch.stopped_by is not None:
        return worst([*codes, batch.stopped_by])
    for part in batch.parts:
        if part.state is PartState.TIMED_OUT:
            codes.append(int(ExitCode.NOT_EVALUABLE))
        elif part.exit_code is not None:
            codes.append(part.exit_code)
    if batch.fail_on_warn and any(part.warnings for part in batch.parts):
        codes.append(ExitCode.WARNINGS)
    return worst(codes)


def verdict_line(batch: BatchOutcome) -> str:
    """``batch: PASS (exit 0) · run-all 143 evidence rows · firewall CLEAR · …``, one line."""
    code = exit_code(batch)
    word = _WORDS.get(code, "STOPPED")
    pieces = [f"batch: {word} (exit {code})", *(_piece(part) for part in batch.parts)]
    pieces.append(took_in_words(batch.elapsed_seconds))
    return visible(" · ".join(pieces), LINE_CHARACTERS)


def _piece(part: PartOutcome) -> str:
    word = part.word
    if word is Word.PASS:
        return f"{part.part} {part.said or 'ok'}"
    text = word.replace("_", " ")
    shown = text if word in (Word.SKIPPED, Word.NOT_RUN) else text.upper()
    # The firewall says of itself what its word says already.
    if part.said.startswith(shown):
        return f"{part.part} {part.said}"
    return f"{part.part} {shown}" + (f" {part.said}" if part.said else "")
