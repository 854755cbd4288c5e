"""What the last comparison of runs said. It stands until another one was made."""

from __future__ import annotations

from dataclasses import replace

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.status import Answer, Verdict
from pipeline.platform.lenient_json import Json, count_of, number_of, text_of
from pipeline.reading.facts import Facts
from runbook.symptoms.by_report import as_old

# A comparison that took longer is not made again by itself.
SOON_SECONDS = 60.0
_VERDICTS = {int(ExitCode.OK): Verdict.CLEAR, int(ExitCode.CHECK_FAILED): Verdict.DETECTED}


def glance(facts: Facts) -> Answer:
    report = facts.determinism
    if (unread := facts.cannot_read(str(paths.DETERMINISM_REPORT))) is not None:
        return unread
    answer = answer_of(report, str(paths.DETERMINISM_REPORT))
    is_old = answer.is_detected and facts.is_touched_since(answer.as_of)
    if is_old and (number_of(report, "elapsed_seconds") or 0.0) > SOON_SECONDS:
        said = f"{answer.observed}; code or data changed since; re-run: distill determinism"
        answer = replace(answer, observed=said)
    return as_old(answer, facts)


def answer_of(report: Json | None, source: str) -> Answer:
    if report is None:
        return Answer(Verdict.UNKNOWN, "no two runs were compared yet", None, source, nothing_yet=True)
    verdict = _VERDICTS.get(count_of(report, "exit_code") or 0, Verdict.UNKNOWN)
    if count_of(report, "exit_code") is None:
        verdict = Verdict.UNKNOWN
    said = text_of(report, "verdict") or "two runs on the same input differ"
    return Answer(verdict, said, epoch_seconds(report.get("finished_at")), source)
