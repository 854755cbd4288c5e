"""PURE: the batch as data: what ``report.json`` holds and ``--json`` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from console.batch.causes import causes
from console.batch.outcome import BatchOutcome, PartOutcome, exit_code, verdict_line
from console.batch.part_report import acceptance_root
from console.batch.parts import Part
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.machine_schemas import BATCH_REPORT_VERSION
from pipeline.contracts.moments import iso_utc

# The report of acceptance repeats in the audit's P6; the parts' own reports stay where they are.
_FROM_RUN = ("pipeline_run_id", "run_hash", "git", "engine")
_FROM_FIREWALL = (
    "state", "file", "rows_read", "findings_count", "forbidden_rows", "forbidden_files", "by_wall", "by_file",
    "findings", "sha256", "cause", "detail", "walls", "evaluation", "evaluation_sets", "evaluation_refused",
    "not_evaluated",
)  # fmt: skip


def batch_report(batch: BatchOutcome, *, packed_root: str | None = None) -> dict[str, Any]:
    """JSON types only. ``packed_root`` names the file into which acceptance's root was packed."""
    code = exit_code(batch)
    run, audit = batch.part(Part.RUN_ALL), batch.part(Part.AUDIT)
    acceptance = batch.part(Part.ACCEPTANCE)
    first = run.report if run is not None and run.report else audit.report if audit is not None else {}
    before, firewall = batch.part(Part.STANDING), batch.part(Part.FIREWALL)
    return {
        "schema_version": BATCH_REPORT_VERSION,
        "kind": "batch",
        "batch_id": batch.batch_id,
        "ok": code in (ExitCode.OK, ExitCode.WARNINGS),
        "exit_code": code,
        "verdict": verdict_line(batch),
        "workspace": batch.workspace,
        "started_at": iso_utc(batch.started),
        "finished_at": iso_utc(batch.finished),
        "elapsed_seconds": round(batch.elapsed_seconds, 3),
        "fail_on": "warn" if batch.fail_on_warn else "fail",
        "timeout_seconds": batch.timeout_seconds,
        **{name: first.get(name) for name in _FROM_RUN},
        "counts": run.report.get("counts") if run is not None else None,
        "streams": run.report.get("streams") if run is not None else None,
        "parts": [_part(part) for part in batch.parts],
        "checks": [check.model_dump(mode="json") for part in batch.parts for check in part.checks],
        "drift": [row.model_dump(mode="json") for part in batch.parts for row in part.drift],
        "drift_thresholds": audit.report.get("drift_thresholds") if audit is not None else None,
        "firewall": _firewall(firewall) if firewall is not None and firewall.report else None,
        "firewall_before": _firewall(before) if before is not None and before.report else None,
        "symptoms": [asdict(symptom) for part in batch.parts for symptom in part.symptoms],
        "causes": [asdict(cause) for cause in causes(batch)],
        "incident": batch.incident or None,
        "acceptance_root": acceptance_root(acceptance),
        "acceptance_root_packed": packed_root,
    }


def _part(part: PartOutcome) -> dict[str, Any]:
    return {
        "name": part.part,
        "status": part.word,
        "exit_code": part.exit_code,
        "elapsed_seconds": round(part.elapsed_seconds, 3),
        "said": part.said,
        "detail": part.detail,
        "warnings": list(part.warnings),
    }


def _firewall(part: PartOutcome) -> dict[str, Any]:
    return {name: part.report[name] for name in _FROM_FIREWALL if name in part.report}
