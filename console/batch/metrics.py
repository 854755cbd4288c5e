"""PURE: the report as a Prometheus textfile."""

from __future__ import annotations

import re

from console.batch.outcome import BatchOutcome, PartState, exit_code
from console.batch.parts import Part
from console.watch.metrics import Family, exposition, firewall_counts, held_walls
from pipeline.contracts.checks import CheckStatus
from pipeline.contracts.faults import ExitCode
from pipeline.platform.lenient_json import count_of, object_of
from pipeline.reading.firewall_words import firewall_status

LAST_SUCCESS = "distill_batch_last_success_timestamp_seconds"
_LAST_SUCCESS_LINE = re.compile(rf"^{LAST_SUCCESS} (\d+(?:\.\d+)?)$", re.MULTILINE)
_COUNTS = (
    "lines", "skipped", "evidence", "accepted", "partially_accepted", "needs_human_review", "rejected",
    "rag", "sft", "preference", "quarantined_rag", "quarantined_sft", "quarantined_preference",
)  # fmt: skip


def last_success_in(text: str) -> float | None:
    """When a batch last ended well, as an earlier textfile says it; the file is all there is to remember."""
    found = _LAST_SUCCESS_LINE.search(text)
    return float(found.group(1)) if found else None


def batch_metrics(batch: BatchOutcome, *, last_success: float | None = None) -> str:
    """``last_success`` is what is known from before; a batch that ends well replaces it."""
    code = exit_code(batch)
    well = code in (ExitCode.OK, ExitCode.WARNINGS)
    result = Family("distill_batch_exit_code", "Exit code of the last batch.")
    result.add(code)
    finished = Family("distill_batch_finished_timestamp_seconds", "When the last batch ended.")
    finished.add(batch.finished)
    success = Family(LAST_SUCCESS, "When a batch last ended with 0 or with warnings only.")
    success.add(batch.finished if well else last_success)
    seconds = Family("distill_batch_duration_seconds", "How long the last batch took.")
    seconds.add(batch.elapsed_seconds)
    return exposition([result, finished, success, seconds, *_parts(batch), *_checks(batch), *_rows(batch)])


def _parts(batch: BatchOutcome) -> list[Family]:
    status = Family("distill_batch_part_status", "1 for the word that a part of the batch ended with.")
    took = Family("distill_batch_part_duration_seconds", "How long a part of the batch took.")
    warnings = Family("distill_batch_part_warnings", "Warnings of a part of the batch.")
    symptoms = Family("distill_batch_symptoms", "Symptoms found, by severity.")
    for part in batch.parts:
        status.add(1, part=part.part, status=part.word)
        if part.state is PartState.RAN:
            took.add(part.elapsed_seconds, part=part.part)
            warnings.add(len(part.warnings), part=part.part)
    looked = batch.part(Part.SYMPTOMS)
    if looked is not None and looked.report:
        for severity in ("critical", "error", "warning", "info"):
            count = sum(symptom.severity == severity for symptom in looked.symptoms)
            symptoms.add(count, severity=severity)
    return [status, took, warnings, symptoms]


def _checks(batch: BatchOutcome) -> list[Family]:
    status = Family("distill_check_status", "1 for the status that a check ended with.")
    examined = Family("distill_check_examined", "What a check examined.")
    failed = Family("distill_check_failed", "How much of it failed.")
    passing = Family("distill_checks_passing", "Required checks that passed, by phase.")
    required = Family("distill_checks_required", "Required checks, by phase.")
    checks = [check for part in batch.parts for check in part.checks]
    for check in checks:
        labels = {"check": check.id, "phase": check.phase}
        status.add(1, **labels, required=str(check.required).lower(), status=check.status)
        examined.add(check.examined, **labels)
        failed.add(check.failed, **labels)
    for phase in dict.fromkeys(check.phase for check in checks if check.required):
        of_phase = [check for check in checks if check.required and check.phase == phase]
        good = sum(check.status in (CheckStatus.PASS, CheckStatus.WARN) for check in of_phase)
        passing.add(good, phase=phase)
        required.add(len(of_phase), phase=phase)
    drift = Family("distill_drift_ratio", "Change against the baseline, (current - baseline) / baseline.")
    z = Family("distill_drift_z", "How surprising the change is, in standard deviations.")
    flagged = Family("distill_drift_flagged", "1 where a metric warns or is missing.")
    for row in (row for part in batch.parts for row in part.drift):
        drift.add(row.delta_ratio, metric=row.metric)
        z.add(row.z, metric=row.metric)
        flagged.add(float(row.status in ("warn", "missing")), metric=row.metric)
    return [status, examined, failed, passing, required, drift, z, flagged]


def _rows(batch: BatchOutcome) -> list[Family]:
    rows = Family("distill_rows", "Rows of the last run, by kind.")
    families = [rows]
    run, firewall = batch.part(Part.RUN_ALL), batch.part(Part.FIREWALL)
    if run is not None:
        counts = object_of(run.report, "counts")
        for name in _COUNTS:
            rows.add(count_of(counts, name), kind=name)
    # What was not read to its end has no number, least of all 0.
    if firewall is not None and firewall.state is PartState.RAN:
        said = firewall_status(firewall.report, batch.finished)
        if firewall.exit_code in (ExitCode.OK, ExitCode.FIREWALL_BREACH):
            families += firewall_counts(said)
        families += held_walls(said)
    return families
