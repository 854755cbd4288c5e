"""What the next shift must know: what is open, what was decided and why, what ran, what failed.

Read from files alone. Times of a report decide whether it belongs to the shift, not the times of
its file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from console.reading.phase_verdicts import report_time
from pipeline.contracts import paths
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.status import LockStatus, RunRow, SymptomStatus
from pipeline.platform.lenient_json import Json, count_of, object_of, text_of, texts_of
from pipeline.reading.incidents import IncidentGlance, read_incidents
from pipeline.reading.past_runs import RunReports
from pipeline.reading.report_files import Notes, last_objects, read_object
from pipeline.reading.run_rows import run_rows

BASELINE_TAIL_BYTES = 4 * 1024 * 1024
REPLAY_TAIL_BYTES = 4 * 1024 * 1024
# Kinds of baseline rows that a person wrote. A row without a kind was appended by hand.
_DECISIONS = ("accept", "dismiss", "revoke")
_REPORTS = (
    ("acceptance", paths.ACCEPTANCE_DATA),
    ("audit-full", paths.AUDIT_DATA),
    ("determinism", paths.DETERMINISM_REPORT),
    ("release-freeze", paths.RELEASE_MANIFEST),
)
# Each list and what it is read from.
_RUNS = (str(paths.REPORTS),)
_SOURCES = {
    "incidents": (str(paths.INCIDENTS),),
    "decisions": (str(paths.AUDIT_BASELINES),),
    "failures": _RUNS,
    "runs": _RUNS,
    "verdicts": tuple(str(relative) for _, relative in _REPORTS),
    "replays": (str(paths.REPLAY_RUNS),),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Somebody said what is normal. ``metrics`` are names; empty is all of them."""

    at: float | None
    kind: str
    actor: str
    note: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerdictGiven:
    """A report that was made during the shift."""

    report: str
    at: float | None
    exit_code: int | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Handover:
    """``failures`` are the runs of ``runs`` that did not end well.

    ``unknown`` says why a list may lack what is there: nothing in it is then not none.
    """

    since: float
    until: float
    symptoms: tuple[SymptomStatus, ...]
    incidents: tuple[IncidentGlance, ...]
    decisions: tuple[Decision, ...]
    runs: tuple[RunRow, ...]
    failures: tuple[RunRow, ...]
    verdicts: tuple[VerdictGiven, ...]
    replays: int
    replays_refused: int
    notes: tuple[str, ...]
    unknown: Mapping[str, str] = field(default_factory=dict)


def read_handover(
    root: Path, symptoms: Sequence[SymptomStatus], lock: LockStatus, since: float, now: float
) -> Handover:
    """The shift from ``since`` to ``now``. Incidents that are open are told whatever their age."""
    notes = Notes()
    incidents = [
        incident
        for incident in read_incidents(root, notes)
        if incident.is_open or _is_within(incident.changed, since, now)
    ]
    reports = RunReports(root)
    rows = run_rows(reports, reports.run_ids(notes), lock, notes)
    runs = [row for row in rows if _is_within(row.ended if row.finished else row.started, since, now)]
    replays = [
        row
        for row in last_objects(root, paths.REPLAY_RUNS, REPLAY_TAIL_BYTES, notes)
        if _is_within(report_time(row), since, now)
    ]
    refused = [row for row in replays if object_of(row, "validation_result").get("ok") is not True]
    return Handover(
        since,
        now,
        tuple(symptoms),
        tuple(incidents),
        tuple(_decisions(root, since, now, notes)),
        tuple(runs),
        tuple(row for row in runs if row.ok is not True),
        tuple(_verdicts(root, since, now, notes)),
        len(replays),
        len(refused),
        tuple(notes.lines),
        _unknown(notes),
    )


def _unknown(notes: Notes) -> dict[str, str]:
    """The lists whose source cannot be read, and why."""
    found = {}
    for name, sources in _SOURCES.items():
        why = [
            f"{each} cannot be read: {notes.unreadable[each]}" for each in sources if each in notes.unreadable
        ]
        if why:
            found[name] = "; ".join(why)
    return found


def _is_within(moment: float | None, since: float, now: float) -> bool:
    """Whether a time belongs to the shift. What has no time is told rather than hidden."""
    return moment is None or since <= moment <= now + 60.0


def _decisions(root: Path, since: float, now: float, notes: Notes) -> list[Decision]:
    found = []
    for row in last_objects(root, paths.AUDIT_BASELINES, BASELINE_TAIL_BYTES, notes):
        kind = text_of(row, "kind")
        if kind not in (*_DECISIONS, None) or not _is_within(report_time(row), since, now):
            continue
        found.append(
            Decision(
                report_time(row),
                kind or "by hand",
                text_of(row, "actor") or "",
                text_of(row, "notes") or "",
                texts_of(row, "decided_metrics") or tuple(map(str, object_of(row, "metrics"))),
            )
        )
    return found


def _verdicts(root: Path, since: float, now: float, notes: Notes) -> list[VerdictGiven]:
    found = []
    for name, relative in _REPORTS:
        report = read_object(root, relative, notes)
        if report is None:
            continue
        at = epoch_seconds(report.get("released_at")) or report_time(report)
        if at is not None and _is_within(at, since, now):
            found.append(VerdictGiven(name, at, count_of(report, "exit_code"), _verdict_of(report)))
    return found


def _verdict_of(report: Json) -> str:
    return text_of(report, "verdict") or text_of(report, "tag") or ""
