"""Facts as a report may have to tell them, made without running anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from console.batch.report import batch_report
from console.report.facts import Point, ReportFacts, read_facts
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import SymptomStatus, WorkspaceStatus
from tests.console import check_reports, incident_folders, states
from tests.console.batch.outcomes import HOSTILE, breach, hostile_batch
from tests.console.workspaces import empty_workspace

DAY = 86400.0


def told(root: Path, *, hostile: bool = False) -> ReportFacts:
    """A workspace in trouble: a breach, drift over weeks, an audit that failed, incidents."""
    empty_workspace(root)
    check_reports.audited(root)
    incident_folders.real_incident(root)
    incident_folders.open_incident(root, incident_id="20260427-0800-open")
    incident_folders.broken_incident(root)
    status = states.status(drift=states.drifted())
    facts = read_facts(root, _hostile(status) if hostile else status)
    metrics = tuple(
        replace(each, points=tuple(Point(states.NOW - DAY * (20 - n), 100.0 + n**2 % 37) for n in range(20)))
        for each in facts.metrics
    )
    batch = batch_report(hostile_batch() if hostile else breach())
    return replace(facts, metrics=metrics, batch=batch)


def _hostile(status: WorkspaceStatus) -> WorkspaceStatus:
    """Every text that data may choose is hostile."""
    origin = status.drift.origin
    line = replace(status.drift.lines[0], metric=HOSTILE, causes=(HOSTILE,), dismissed=HOSTILE)
    firewall = replace(status.firewall, detail=HOSTILE)
    stream = replace(status.rows.total, stream=HOSTILE)
    return replace(
        status,
        name=HOSTILE,
        workspace=HOSTILE,
        notes=(HOSTILE,),
        firewall=firewall,
        symptoms=(SymptomStatus(HOSTILE, Severity.ERROR, HOSTILE, origin, HOSTILE, HOSTILE),),
        drift=replace(status.drift, lines=(line, *status.drift.lines[1:])),
        rows=replace(status.rows, streams=(stream,)),
        runs=tuple(replace(run, command=HOSTILE, note=HOSTILE) for run in status.runs),
    )
