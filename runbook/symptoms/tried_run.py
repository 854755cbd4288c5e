"""A whole run in a copy of the workspace, allowed to come out empty: where do the rows stop?

Nothing of the workspace changes. The copy's counts are those that the next run would have.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.contracts import paths
from pipeline.contracts.categories import CATEGORIES
from pipeline.contracts.faults import ExitCode
from pipeline.platform.lenient_json import object_in, object_or_empty
from pipeline.reading.past_runs import CommittedRun, counts
from runbook.change.workspace_copy import workspace_copy
from runbook.probes.conclusions import found_by, why_blind
from runbook.probes.evidence import ProbeOutput, Record
from runbook.probes.looks import Probe, record_probe
from runbook.probes.workspace import Workspace

TRIED = "tried"
_TITLE = "The same run in a copy, allowed to be empty"
_SECONDS = 600.0
_ALLOWED = ("accepted", "partially_accepted")


class Flow(Record):
    """How many rows come how far. ``streams`` are those that the numbers are of."""

    streams: tuple[str, ...] = ()
    lines: int = 0
    evidence: int = 0
    scored: int = 0
    allowed: int = 0
    exported: int = 0
    skips: dict[str, int] = Field(default_factory=dict)
    refusals: dict[str, int] = Field(default_factory=dict)

    @property
    def first_zero(self) -> str | None:
        """``lines``, ``evidence``, ``scored``, ``allowed`` or ``exported``; None where rows come through."""
        steps = ("lines", "evidence", "scored", "allowed", "exported")
        return next((step for step in steps if not getattr(self, step)), None)

    @property
    def told(self) -> tuple[str, ...]:
        steps = ("lines", "evidence", "scored", "allowed", "exported")
        flow = " → ".join(f"{getattr(self, step):,} {step}" for step in steps)
        skips = [f"skipped: {reason} {count:,}" for reason, count in self.skips.items()]
        refused = [f"refused: {reason} {count:,}" for reason, count in self.refusals.items()]
        return (flow, *skips, *refused)


class TriedRun(Record):
    """``before`` is the last good run's flow into the export, ``now`` the copy's; None if it failed."""

    export: str
    before: Flow | None = None
    now: Flow | None = None
    crash: tuple[str, ...] = ()


def tried_probe(export: str, earlier_run: str | None) -> Probe:
    """The probe whose output ``read_tried`` understands."""

    def find(workspace: Workspace, seconds: float) -> TriedRun:
        return _tried(workspace, export, earlier_run, seconds)

    return record_probe(TRIED, _TITLE, _SECONDS, find, _lines, ("distill", "run-all", "--allow-empty"))


def _lines(found: TriedRun) -> list[str]:
    lines = [] if found.before is None else ["the last good run:", *found.before.told]
    return [*lines, "now:", *found.now.told] if found.now is not None else [*lines, *found.crash]


def read_tried(output: ProbeOutput | None, export: str) -> TriedRun:
    """What the probe found; after one that failed, a run without numbers that says why."""
    blind = TriedRun(export=export, crash=(why_blind(output, "nobody tried"),))
    return found_by(output, TriedRun) or blind


def _tried(workspace: Workspace, export: str, earlier_run: str | None, seconds: float) -> TriedRun:
    feeding, before = _before(workspace.root, export, earlier_run)
    with workspace_copy(workspace.root) as copy:
        there = Workspace(copy.root, history=workspace.root)
        ran = there.engine(["run-all", "--allow-empty", "--json"], seconds=seconds)
        summary = _printed(ran.stdout) if ran.exit_code == ExitCode.OK else None
        name = str(summary["pipeline_run_id"]) if summary else ""
        now = _flow(CommittedRun(copy.root, name, summary), export, feeding) if summary else None
    error = ran.narration.strip().splitlines()[-20:]
    crash = () if now is not None else tuple(line for line in (ran.why, *error) if line)
    return TriedRun(export=export, before=before, now=now, crash=crash)


def _printed(out: bytes) -> dict[str, Any] | None:
    value = object_or_empty(out)
    return value if "pipeline_run_id" in value else None


def _before(root: Path, export: str, earlier_run: str | None) -> tuple[tuple[str, ...], Flow | None]:
    """The streams whose rows stood in the export, and how their rows came there."""
    if earlier_run is None:
        return (), None
    summary = object_in(root / paths.summary_file(earlier_run))
    if summary is None:
        return (), None
    run = CommittedRun(root, earlier_run, summary)
    by_stream = run.receipts.get("export", {}).get("by_stream")
    feeding = tuple(
        name
        for name, told in (by_stream.items() if isinstance(by_stream, dict) else ())
        if counts(told).get(f"{export}_exported")
    )
    return feeding, _flow(run, export, feeding)


def _flow(run: CommittedRun, export: str, feeding: tuple[str, ...]) -> Flow:
    """The counts of just those streams (of all, where none is known); reasons are of the whole run."""
    streams = run.summary.get("streams")
    known = streams if isinstance(streams, dict) else {}
    names = tuple(name for name in known if not feeding or name in feeding)
    of = [run.counts_of(name) for name in names]
    totals = counts(run.summary.get("counts"))
    refusals = counts(run.receipts.get("export", {}).get("reasons"))
    return Flow(
        streams=names,
        lines=sum(each.get("lines", 0) for each in of),
        evidence=sum(each.get("evidence", 0) for each in of),
        scored=sum(each.get(name, 0) for each in of for name in CATEGORIES),
        allowed=sum(each.get(name, 0) for each in of for name in _ALLOWED),
        exported=totals.get(export, 0),
        skips=counts(run.receipts.get("materialize", {}).get("reasons")),
        refusals={
            reason.removeprefix(f"{export}_"): count
            for reason, count in refusals.items()
            if reason.startswith(f"{export}_")
        },
    )
