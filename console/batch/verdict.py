"""PURE: from the outcomes of all parts to one exit code and one line."""

from __future__ import annotations

from console.batch.outcome import BatchOutcome, PartOutcome, PartState, Word
from pipeline.contracts.faults import ExitCode, worst
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import took_in_words

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
    if batch.stopped_by is not None:
        return batch.stopped_by
    codes = []
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
    return f"{part.part} {shown}" + (f" {part.said}" if part.said not in ("", shown) else "")
