"""PURE: the symptoms that files alone can tell, and those that the last reports still say.

A detector here costs a few ``stat`` calls. What needs acceptance, an audit or a replay is read
from the last report, with its age. The firewall's own symptom is derived where its state is
known (``derive.leak_symptom``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.reading.phase_verdicts import report_time
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import (
    DriftStatus,
    Freshness,
    Origin,
    PhaseState,
    PhaseStatus,
    Severity,
    SymptomStatus,
)
from pipeline.platform.lenient_json import Json, count_of, text_of
from runbook.probes.empty_exports import EmptyExport

# The symptom that a failed phase raises, and the command that shows more.
_OF_PHASE = {
    "P1": ("S1.P1.schema", "distill schema check"),
    "P2": ("S1.P2.materialize", "distill streams check"),
    "P3": ("S1.P3.distribution", "distill score"),
    "P5": ("S1.P5.summary", "distill run-all"),
    "P6": ("S1.P6.acceptance", "distill acceptance"),
    "P7": ("S1.P7.replay", "distill replay"),
}


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the detectors look at. ``empty_streams`` are tier-1 streams without a byte.

    ``recon_doc_bytes`` is None for one that is missing, -1 for one that nobody lets us look at.

    ``determinism`` is the last report of ``distill determinism``, None when there is none.
    """

    recon_doc_bytes: int | None
    empty_streams: tuple[str, ...]
    replay_log_bytes: int | None
    replay_log_limit_bytes: float
    summary_faults: tuple[str, ...]
    outputs_changed: tuple[str, ...]
    determinism: Json | None = None
    empty_export: EmptyExport | None = None


def detect(
    facts: FileFacts,
    phases: Sequence[PhaseStatus],
    drift: DriftStatus,
    now: float,
) -> list[SymptomStatus]:
    """Every symptom that shows, in the runbook's order."""
    live = Origin("live", now, Freshness.FRESH)
    found = [*_of_files(facts, live), *_of_reports(phases), *_of_drift(drift)]
    if facts.empty_export is not None:
        found.append(_empty_exports(facts.empty_export))
    if (mismatch := _hash_mismatch(facts.determinism)) is not None:
        found.append(mismatch)
    return [symptom for index, symptom in enumerate(found) if symptom.id not in {s.id for s in found[:index]}]


def _of_files(facts: FileFacts, live: Origin) -> list[SymptomStatus]:
    found = []
    if not facts.recon_doc_bytes:
        what = "is missing" if facts.recon_doc_bytes is None else "is empty"
        found.append(
            SymptomStatus(
                "S1.P0.recon-doc",
                Severity.ERROR,
                f"{paths.RECON_DOC} {what}",
                live,
                "restore it from the last-good tag, or write it again",
            )
        )
    if facts.empty_streams:
        names = ", ".join(facts.empty_streams[:3]) + (" …" if len(facts.empty_streams) > 3 else "")
        found.append(
            SymptomStatus(
                "S1.P0.source-missing",
                Severity.INFO,
                f"{len(facts.empty_streams)} tier-1 streams have no rows: {names}",
                live,
                "distill streams check",
            )
        )
    if facts.summary_faults or facts.outputs_changed:
        faults = [
            *facts.summary_faults,
            *(f"{name} is not the file of its receipt" for name in facts.outputs_changed),
        ]
        more = f" (+{len(faults) - 1} more)" if len(faults) > 1 else ""
        found.append(
            SymptomStatus("S1.P5.summary", Severity.ERROR, faults[0] + more, live, "distill run-all")
        )
    size, limit = facts.replay_log_bytes, facts.replay_log_limit_bytes
    if size is not None and size > limit:
        found.append(
            SymptomStatus(
                "S6.replay-log",
                Severity.WARNING,
                f"{paths.REPLAY_RUNS} has {size / 1e6:,.0f} MB, over {limit / 1e6:,.0f} MB",
                live,
                "distill rotate-replay-log",
            )
        )
    return found


def _of_reports(phases: Sequence[PhaseStatus]) -> list[SymptomStatus]:
    failed = {phase.id: phase for phase in phases if phase.state is PhaseState.FAIL}
    others = {"P0", "P1", "P2", "P3", "P4", "P5", "P7"}
    found = []
    for phase_id, (symptom_id, command) in _OF_PHASE.items():
        phase = failed.get(phase_id)
        # A stage that ended early (disk full, killed) is a failed run, not a failed check.
        if phase is None or not (phase.failed_checks or phase_id == "P7"):
            continue
        what = ", ".join(phase.failed_checks[:3]) or phase.detail or f"{phase.id} {phase.name} failed"
        if phase_id == "P6" and not others & set(failed):
            symptom_id = "S3.divergence"
        found.append(
            SymptomStatus(symptom_id, Severity.ERROR, what, phase.origin, command, since=phase.origin.as_of)
        )
    exports = failed.get("P4")
    if exports is not None and set(exports.failed_checks) - {"P4.sft-firewall"}:
        what = ", ".join(exports.failed_checks[:3])
        found.append(
            SymptomStatus("S1.P4.self-pair", Severity.ERROR, what, exports.origin, "distill audit-full")
        )
    return found


def _of_drift(drift: DriftStatus) -> list[SymptomStatus]:
    moved = [line for line in drift.lines if line.status in ("warn", "missing") and line.dismissed is None]
    if not moved:
        return []
    what = f"{len(moved)} metrics moved: " if len(moved) > 1 else "1 metric moved: "
    names = ", ".join(line.metric for line in moved[:3])
    return [SymptomStatus("S2.drift", Severity.WARNING, what + names, drift.origin, "distill audit-full")]


def _empty_exports(found: EmptyExport) -> SymptomStatus:
    return SymptomStatus(
        "S4.empty-exports",
        Severity.ERROR,
        found.says,
        Origin(found.source, found.finished_at, Freshness.FRESH),
        "distill streams check",
        since=found.finished_at,
    )


def _hash_mismatch(report: Json | None) -> SymptomStatus | None:
    """The last comparison found runs that differ. It stands until a comparison finds them equal."""
    if report is None or count_of(report, "exit_code") != ExitCode.CHECK_FAILED:
        return None
    as_of = report_time(report)
    return SymptomStatus(
        "S5.hash-mismatch",
        Severity.CRITICAL,
        text_of(report, "verdict") or "two runs on the same input differ",
        Origin(str(paths.DETERMINISM_REPORT), as_of, Freshness.FRESH),
        "distill determinism",
        since=as_of,
    )
