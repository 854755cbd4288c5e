"""S4.empty-exports: run-all came out empty or far smaller, or would have and was refused.

Where the rows stop is told by a whole run in a copy of the workspace, allowed to come out empty, and
where that is refused for what is lost, small. Nothing of the workspace changes. The copy's counts are
those that the next run would have.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, JsonValue

from pipeline.contracts import paths
from pipeline.contracts.categories import CATEGORIES
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.plurals import differ
from pipeline.contracts.status import Verdict
from pipeline.platform.lenient_json import object_in, object_or_empty, text_of
from pipeline.reading.empty_exports import find_empty_export
from pipeline.reading.past_runs import CommittedRun, counts
from runbook.actions.rerun_stage import plan_rerun
from runbook.case import Case
from runbook.change.workspace_copy import workspace_copy
from runbook.probes.code_history import ChangedFile, code_probe
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, Record, Stance
from runbook.probes.looks import Probe, detection_from, record_probe
from runbook.probes.settings_history import settings_probe
from runbook.probes.workspace import Workspace
from runbook.symptom import Offer, diagnosed
from runbook.symptoms import s4_empty_exports as define
from runbook.symptoms.offers import RUN_ALL, as_tagged, differing, rerun_offer
from runbook.symptoms.s4_empty_exports.glance import answer_of, glance

TRIED = "tried"
_TITLE = "The same run in a copy, allowed to be empty"
_SECONDS = 600.0
_ALLOWED = ("accepted", "partially_accepted")
_STEPS = ("lines", "evidence", "scored", "allowed", "exported")


class Stop(NamedTuple):
    """One step of the rows: the causes where none passes it and where fewer do, whose code and which settings
    may be behind it, and the symptom whose wizard goes on from there.
    """

    none: str
    fewer: str
    phase: str | None
    sections: tuple[str, ...]
    see: str | None


# In their order. What is scored is looked at by what of it may be exported.
_STOPS = {
    "lines": Stop(define.NO_LINES, define.FEWER_LINES, None, ("stream",), "S1.P0.source-missing"),
    "evidence": Stop(define.NO_EVIDENCE, define.FEWER_EVIDENCE, "P2", ("stream",), "S1.P2.materialize"),
    "allowed": Stop(
        define.NONE_ALLOWED, define.FEWER_ALLOWED, "P3", ("scoring", "stream"), "S1.P3.distribution"
    ),
    "exported": Stop(define.NONE_EXPORTED, define.FEWER_EXPORTED, "P4", ("export", "stream"), None),
}
_OVER = Stop(define.OVER, define.OVER, None, ("export", "stream"), None)
_FAILED = Stop(define.FAILS, define.FAILS, None, ("export", "stream"), "ENGINE.wont-start")


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
    def first_zero(self) -> Stop | None:
        """The first step that no row passes; None where rows come through."""
        return next((stop for step, stop in _STOPS.items() if not getattr(self, step)), None)

    @property
    def told(self) -> tuple[str, ...]:
        flow = " → ".join(f"{getattr(self, step):,} {step}" for step in _STEPS)
        skips = [f"skipped: {reason} {count:,}" for reason, count in self.skips.items()]
        refused = [f"refused: {reason} {count:,}" for reason, count in self.refusals.items()]
        return (flow, *skips, *refused)


class TriedRun(Record):
    """``before`` is the last good run's flow into the export, ``now`` the copy's; None if it failed.

    ``loses`` when the copy's run was refused for what an export loses, until it was allowed to.
    """

    export: str
    before: Flow | None = None
    now: Flow | None = None
    loses: bool = False
    crash: tuple[str, ...] = ()


def tried_probe(export: str, earlier_run: str | None) -> Probe:
    """The probe that finds a ``TriedRun``."""

    def find(workspace: Workspace, seconds: float) -> TriedRun:
        return _tried(workspace, export, earlier_run, seconds)

    return record_probe(TRIED, _TITLE, _SECONDS, find, _lines, ("distill", "run-all", "--allow-empty"))


def _loss(before: Flow | None, now: Flow) -> Stop:
    """The step at which the largest share is lost, of what came to it."""
    shares = {}
    came_before = came_now = 1
    for step in _STOPS:
        had, has = (getattr(before, step) if before is not None else 0), getattr(now, step)
        shares[step] = (has / came_now) / (had / came_before) if had and came_now and came_before else 1.0
        came_before, came_now = had, has
    return _STOPS[min(shares, key=lambda step: shares[step])]


def _lines(found: TriedRun) -> list[str]:
    lines = [] if found.before is None else ["the last good run:", *found.before.told]
    return [*lines, "now:", *found.now.told] if found.now is not None else [*lines, *found.crash]


def _tried(workspace: Workspace, export: str, earlier_run: str | None, seconds: float) -> TriedRun:
    feeding, before = _before(workspace.root, export, earlier_run)
    with workspace_copy(workspace.root) as copy:
        there = Workspace(copy.root, history=workspace.root)
        ran = there.engine(["run-all", "--allow-empty", "--json"], seconds=seconds)
        loses = ran.exit_code == ExitCode.CHECK_FAILED
        if loses:
            allowed = ["run-all", "--allow-empty", "--allow-shrink", "--json"]
            again = there.engine(allowed, seconds=seconds)
            ran = again if again.exit_code == ExitCode.OK else ran
        summary = _printed(ran.stdout) if ran.exit_code == ExitCode.OK else None
        name = str(summary["pipeline_run_id"]) if summary else ""
        now = _flow(CommittedRun(copy.root, name, summary), export, feeding) if summary else None
    error = ran.narration.strip().splitlines()[-20:]
    crash = () if now is not None else tuple(line for line in (ran.why, *error) if line)
    return TriedRun(export=export, before=before, now=now, loses=loses and now is not None, crash=crash)


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


def detect(workspace: Workspace) -> Detection:
    """By the newest run that exported, or that was refused to."""
    found = find_empty_export(workspace.root)
    facts: dict[str, JsonValue] = {}
    evidence: tuple[Evidence, ...] = ()
    if found is not None:
        facts = {"export": found.export, "earlier_run": found.earlier_run, "refused": found.refused}
        seen_at = found.finished_at or time.time()
        evidence = (Evidence.of(Stance.FOR, found.says, found.source, seen_at),)
    answer = glance(workspace.facts()) if found is None else answer_of(found, time.time())
    return detection_from(define.ID, answer, reproduce="distill run-all", evidence=evidence, facts=facts)


def probes(detection: Detection) -> tuple[Probe, ...]:
    # The dearest one last: a wizard that is cut off begins again with the first.
    return (
        code_probe(),
        settings_probe(),
        tried_probe(_export(detection), text_of(detection.facts, "earlier_run")),
    )


def _export(detection: Detection) -> str:
    return str(detection.facts.get("export", "sft"))


def classify(case: Case) -> Diagnosis:
    blind = TriedRun(export=_export(case.detection), crash=(case.trouble(TRIED, "not tried"),))
    tried = case.found(TRIED, blind)
    if tried.now is None:
        stop, cause = _FAILED, define.FAILS
    elif zero := tried.now.first_zero:
        stop, cause = zero, zero.none
    else:
        stop = _loss(tried.before, tried.now) if tried.loses else _OVER
        cause = stop.fewer
    files = [each for each in case.code.files if each.phase == stop.phase or cause == define.FAILS]
    changes = case.settings.under(*stop.sections)
    named = (*(each.told for each in files), *(each.told_by for each in changes))
    return case.concluded(
        cause,
        Confidence.LIKELY if cause == define.FAILS else Confidence.CERTAIN,
        {cause: tuple(_evidence(case, tried, files))},
        places=(*_places(tried), *(named if cause != define.OVER else ())),
        facts=differing(files, (each.told for each in changes)),
        # What differs from the tag is put back from here; the phase's own wizard may see nothing of it yet.
        see=None if files or changes else stop.see,
    )


def _places(tried: TriedRun) -> tuple[str, ...]:
    """The streams that used to fill it, with how far their rows come now."""
    if tried.now is None:
        return tried.crash[-1:]
    streams = ", ".join(tried.now.streams) or "no stream"
    return (f"{tried.export} from {streams}: {tried.now.told[0]}",)


def _evidence(case: Case, tried: TriedRun, files: Sequence[ChangedFile]) -> Iterator[Evidence]:
    source = "distill run-all --allow-empty, in a copy"
    if tried.before is not None:
        says = "What came through in the last good run."
        yield case.fact(Stance.FOR, says, "receipts", tried.before.told)
    if tried.now is None:
        yield case.fact(Stance.FOR, "The run fails.", source, tried.crash)
    else:
        yield case.fact(Stance.FOR, "What comes through now.", source, tried.now.told)
    says = f"Of that phase {differ(len(files), f'from {case.code.tag}')}."
    yield case.code_differs(files, says, "No code of it changed.")
    says, unless = f"{paths.SETTINGS} differs from", f"{paths.SETTINGS} is as in"
    tag, changes = case.settings.tag, case.settings.changes
    yield case.settings_differ(changes, f"{says} {tag}.", f"{unless} {tag}.")


def offers(detection: Detection, diagnosis: Diagnosis) -> tuple[Offer, ...]:
    """What ends in a run that fills the exports; the rest is done in the broken phase's wizard."""
    if detection.verdict is not Verdict.DETECTED:
        return ()
    ways = [offer for _, offer in as_tagged(diagnosis, "", "")]
    if diagnosis.cause.id in [stop.fewer for stop in _STOPS.values()]:
        return (*ways, LET_SHRINK)
    return (RUN_AGAIN, *ways) if diagnosis.cause.id == define.OVER else tuple(ways)


LET_SHRINK = Offer(
    "allow-shrink",
    f"{RUN_ALL} --allow-shrink, once",
    "if the log itself has become smaller, the smaller exports are the true ones; the old rows go",
    lambda planning, _: plan_rerun(planning, RUN_ALL, "--allow-shrink"),
)
RUN_AGAIN = rerun_offer(
    "rerun", "Run again", "tried in a copy just now, the run fills every export that had rows", RUN_ALL
)

SYMPTOM = diagnosed(define.DEFINITION, detect, classify, offers, probes)
