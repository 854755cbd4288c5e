"""What a report tells beyond the dashboard: checks, metrics over time, incidents step by step.

All of it blocks while it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.presentation.incident_replay import short_words
from console.reading.check_runs import CheckRun, acceptance_reader, audit_reader
from console.reading.incident_record import IncidentRecord, read_record
from console.reading.phase_verdicts import report_time
from pipeline.contracts import paths
from pipeline.contracts.status import DriftLine, WorkspaceStatus
from pipeline.platform.lenient_json import Json, number_of, object_of, text_of
from pipeline.reading.incidents import IncidentGlance, read_incidents
from pipeline.reading.report_files import Notes, last_objects

HISTORY_BYTES = 16 * 1024 * 1024
MOST_POINTS = 200
MOST_INCIDENTS = 50
MOST_STEPS = 200
# Rows of the file of baselines that an audit or a release wrote; the others are decisions about values.
_MEASURED = ("seed", "passed", "release")
_FLAGGED = ("warn", "missing")


@dataclass(frozen=True, slots=True)
class Point:
    """``at`` is seconds since the epoch, None where the row does not say."""

    at: float | None
    value: float


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric over time, oldest first; the last point is what the last audit measured."""

    line: DriftLine
    points: tuple[Point, ...]

    @property
    def is_flagged(self) -> bool:
        return self.line.status in _FLAGGED and self.line.dismissed is None


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of an incident's journal. ``said`` is data."""

    at: float | None
    state: str
    actor: str
    said: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class IncidentStory:
    """``left_out`` counts the first steps that are not told, ``trouble`` is why not all may be believed."""

    glance: IncidentGlance
    steps: tuple[Step, ...]
    left_out: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """``batch`` is the report of the batch that asked for this one; empty otherwise."""

    status: WorkspaceStatus
    acceptance: CheckRun
    audit: CheckRun
    metrics: tuple[Metric, ...]
    incidents: tuple[IncidentStory, ...]
    incidents_left_out: int = 0
    notes: tuple[str, ...] = ()
    batch: Mapping[str, Any] = field(default_factory=dict)
    incidents_unread: str = ""


def read_facts(root: Path, status: WorkspaceStatus, batch: Mapping[str, Any] | None = None) -> ReportFacts:
    """Everything of one report. Never raises: what cannot be read is told as such."""
    notes = Notes()
    glances = sorted(read_incidents(root, notes), key=lambda each: (not each.is_open, -(each.changed or 0.0)))
    audit = audit_reader(root).read()
    return ReportFacts(
        status,
        acceptance_reader(root).read(),
        audit,
        tuple(_metrics(root, status, audit, notes)),
        tuple(_story(root, glance) for glance in glances[:MOST_INCIDENTS]),
        max(0, len(glances) - MOST_INCIDENTS),
        tuple(notes.lines),
        batch or {},
        notes.unreadable.get(str(paths.INCIDENTS), ""),
    )


def _metrics(root: Path, status: WorkspaceStatus, audit: CheckRun, notes: Notes) -> list[Metric]:
    """The metrics of the last audit, in its order: flagged ones first."""
    rows = [
        row
        for row in last_objects(root, paths.AUDIT_BASELINES, HISTORY_BYTES, notes)
        if text_of(row, "kind") in _MEASURED
    ]
    return [Metric(line, _points(rows, line, audit.as_of)) for line in status.drift.lines]


def _points(rows: list[Json], line: DriftLine, audited: float | None) -> tuple[Point, ...]:
    points = [
        Point(report_time(row), value)
        for row in rows
        if (value := number_of(object_of(row, "metrics"), line.metric)) is not None
    ]
    # An audit that passed has written its values; one that warned stands after them.
    if line.current is not None and (not points or points[-1].value != line.current):
        points.append(Point(audited, line.current))
    return tuple(points[-MOST_POINTS:])


def _story(root: Path, glance: IncidentGlance) -> IncidentStory:
    record = read_record(root, glance.id)
    entries = record.entries[-MOST_STEPS:]
    steps = tuple(
        Step(each.at, each.state, each.actor, f"{short_words(each)}{_because(each.reason)}", each.problem)
        for each in entries
    )
    return IncidentStory(glance, steps, len(record.entries) - len(entries), _trouble(record))


def _because(reason: str) -> str:
    return f" · {reason}" if reason else ""


def _trouble(record: IncidentRecord) -> str:
    """Why not all of it may be believed; empty for a whole chain."""
    if record.trouble:
        return record.trouble
    broken = record.first_broken
    if broken is not None:
        return f"the chain breaks at entry {broken.number}: {broken.problem}"
    return "; ".join(record.problems)
