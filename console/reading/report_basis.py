"""PURE: whether a report still speaks for what is there, told from what it looked at itself.

An audit that was made after an edit by hand has seen that edit, whatever the run before it
wrote. So each change counts against the time at which the report began to look; the run and the
engine that it names count against those that stand now.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from console.reading.engine_code import UNTRUSTED
from console.reading.phase_verdicts import report_time
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.status import Origin
from pipeline.platform.engine_choice import NOT_TRUSTED
from pipeline.platform.lenient_json import Json, object_of, objects_of, text_of
from pipeline.reading import staleness
from pipeline.reading.latest_run import Change, LatestRun, Moved, in_words

if TYPE_CHECKING:
    from console.reading.check_runs import CheckRun
    from pipeline.contracts.status import PhaseStatus


def moved_since(report: Json | None, latest: LatestRun, moved: Moved, engine: str | None) -> str:
    """Why a report on this workspace's data no longer speaks for it; empty when it does.

    ``engine`` is the digest of the code that would run now, None when that is not known.
    """
    if report is None:
        return moved.anything
    return (
        _another_run(report, latest)
        or code_moved_since(report, engine)
        or in_words(_after(report, (*moved.of_sources, *moved.of_outputs)))
        or in_words(_mended(report, moved))
    )


def code_moved_since(report: Json, engine: str | None) -> str:
    """For a report whose data cannot move (acceptance brings its own): whether the code has."""
    return other_code(text_of(object_of(report, "engine"), "digest"), engine)


def other_code(looked_at: str | None, engine: str | None) -> str:
    """The same of two digests; where one is not known, nothing is claimed.

    No report speaks for code that nobody trusts: it may have been written by that code itself.
    """
    if engine == UNTRUSTED:
        return NOT_TRUSTED
    return "the engine's code changed" if looked_at and engine and engine != looked_at else ""


def origin_of_run(
    run: CheckRun, as_of: float | None, phases: Iterable[PhaseStatus], engine: str | None, now: float
) -> Origin:
    """How far a result of ``run`` may be believed now: one of a running command is fresh.

    What changed since makes it stale: for acceptance, on its fixture, only code.
    """
    why = ""
    if run.word == "done":
        audit = next(phase.origin for phase in phases if phase.id == "P8")
        of_data = audit.why if run.command == "audit-full" and audit.as_of == as_of else ""
        why = of_data or other_code(run.engine_digest, engine)
    return Origin(run.command, as_of, staleness.of_verdict(as_of, now, inputs_changed=bool(why)), why)


def _another_run(report: Json, latest: LatestRun) -> str:
    if latest.good is None:
        return ""
    looked_at, stands = text_of(report, "run_hash"), text_of(latest.good, "run_hash")
    if looked_at is not None and looked_at == stands:
        return ""
    made, finished = report_time(report), latest.finished_at
    if made is not None and finished is not None and finished > made:
        return "a run has finished since"
    return "" if looked_at is None or stands is None else "it looked at another run"


def _after(report: Json, changes: tuple[Change, ...]) -> list[Change]:
    """Those that the report cannot have seen: made after it began, or at a time that is not known."""
    began = epoch_seconds(report.get("started_at")) or report_time(report)
    return [change for change in changes if began is None or change.at is None or change.at > began]


def _mended(report: Json, moved: Moved) -> list[Change]:
    """Outputs touched since, of which the report found that they were not those of their receipts.

    They may be whole again, and then nothing differs now.
    """
    words = {text_of(check, "id"): text_of(check, "status") for check in objects_of(report, "checks")}
    if words.get("P5.receipts-match") not in ("fail", "error"):
        return []
    touched = tuple(Change(name, "was written since", at) for name, at in moved.outputs_at.items())
    return _after(report, touched)
