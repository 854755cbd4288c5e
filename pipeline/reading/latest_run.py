"""The newest run, the newest good run, and what has moved on disk since it committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.moments import epoch_seconds
from pipeline.platform.lenient_json import Json, count_of, flag_of, objects_of, text_of
from pipeline.reading.changed_files import ChangeDetector
from pipeline.reading.past_runs import Receipt, RunReports, read_receipts, summary_faults
from pipeline.reading.report_files import Notes
from pipeline.reading.source_files import FoundSources


@dataclass(frozen=True, slots=True)
class LatestRun:
    """``summary`` is the newest one, ``good`` the newest that committed, with its receipts.

    ``hidden`` says why a newer one than these may be there and cannot be looked at.
    """

    summary: Json | None = None
    good: Json | None = None
    good_id: str = ""
    receipts: tuple[Receipt, ...] = ()
    faults: tuple[str, ...] = ()
    hidden: str = ""

    @property
    def failed_by_itself(self) -> bool:
        """Whether the newest run failed; one that an operator stopped did not."""
        stopped = count_of(self.summary, "exit_code") in (ExitCode.INTERRUPTED, ExitCode.TERMINATED)
        return flag_of(self.summary, "ok") is False and not stopped

    @property
    def finished_at(self) -> float | None:
        return epoch_seconds(self.good.get("finished_at")) if self.good else None


OUT_OF_REACH = "cannot be read"
CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One file that is not as the good run left it. ``at`` is when it was last touched."""

    name: str
    what: str
    at: float | None

    def __str__(self) -> str:
        return f"{self.name} {self.what}"

    @property
    def is_seen(self) -> bool:
        """Of a file that cannot be looked at nobody knows whether it changed."""
        return self.what != OUT_OF_REACH


@dataclass(frozen=True, slots=True)
class Moved:
    """What differs from what the good run read and wrote. ``outputs_at``: when each output was touched."""

    of_sources: tuple[Change, ...] = ()
    of_outputs: tuple[Change, ...] = ()
    outputs_at: Mapping[str, float] = field(default_factory=dict)

    @property
    def sources(self) -> str:
        return in_words(self.of_sources)

    @property
    def outputs(self) -> str:
        return in_words(self.of_outputs)

    @property
    def anything(self) -> str:
        return self.sources or self.outputs


def find_latest(root: Path, runs: RunReports, run_ids: Sequence[str], notes: Notes) -> LatestRun:
    """Look through the newest runs' summaries; a garbage one is a fault, and the search goes on."""
    summed = [run_id for run_id in run_ids if runs.has_summary(run_id)]
    hidden = _hidden(paths.REPORTS, notes)
    if not summed:
        return LatestRun(hidden=hidden)
    newest = runs.summary(summed[0], notes)
    hidden = hidden or _hidden(paths.summary_file(summed[0]), notes)
    faults = ["the latest summary is not readable"] if newest is None else summary_faults(newest, summed[0])
    if hidden:
        faults = []  # refused to us, which is no damage of the report
    for run_id in summed:
        good = runs.summary(run_id, notes)
        if good is not None and flag_of(good, "ok"):
            receipts, receipt_faults = read_receipts(root, good, notes)
            named = [entry.get("receipt") for entry in objects_of(good, "stages")]
            hidden = hidden or next((why for name in named if (why := _hidden(name, notes))), "")
            every_fault = () if hidden else (*faults, *receipt_faults)
            return LatestRun(newest, good, run_id, tuple(receipts), every_fault, hidden)
    return LatestRun(newest, faults=tuple(faults), hidden=hidden)


def _hidden(relative: object, notes: Notes) -> str:
    name = str(relative)
    return f"{name} cannot be read: {notes.unreadable[name]}" if name in notes.out_of_reach else ""


def moved_since_run(
    latest: LatestRun, changes: ChangeDetector, sources: FoundSources, *, settled: bool
) -> Moved:
    """The disk against the good run's receipts. ``settled`` is False while a run is at work.

    A source that is gone is not a change: its evidence stands on the recorded digest.
    """
    if latest.good is None:
        return Moved()
    inputs = [
        claim
        for receipt in latest.receipts
        if receipt.stage == "materialize"
        for claim in objects_of(receipt.body, "inputs")
    ]
    before = changes.compare(inputs, latest.finished_at)
    claimed = {text_of(claim, "path") or "" for claim in inputs}
    new = sources.not_among(claimed) if claimed else ()
    of_sources = (
        *(Change(name, CHANGED, before.touched_at.get(name)) for name in before.changed),
        *(Change(name, OUT_OF_REACH, None) for name in before.out_of_reach),
        *(Change(name, "is new", changes.touched_at(name)) for name in new),
    )
    if not settled:
        return Moved(of_sources)
    outputs = [claim for receipt in latest.receipts for claim in objects_of(receipt.body, "outputs")]
    after = changes.compare(outputs, latest.finished_at)
    gone = [name for name in after.missing if not is_quarantined(changes.root / name)]
    of_outputs = (
        *(Change(name, CHANGED, after.touched_at.get(name)) for name in after.changed),
        *(Change(name, OUT_OF_REACH, None) for name in after.out_of_reach),
        *(Change(name, "is gone", changes.touched_at(name)) for name in gone),
    )
    return Moved(of_sources, of_outputs, after.touched_at)


def is_quarantined(path: Path) -> bool:
    """Whether a missing file was moved aside by an operator, so that its absence is known."""
    try:
        return any(path.parent.glob(f"{path.name}.QUARANTINED-*"))
    except OSError:
        return False


def in_words(changes: Sequence[Change]) -> str:
    """The first of them, and how many more there are; empty for none."""
    if not changes:
        return ""
    return str(changes[0]) if len(changes) == 1 else f"{changes[0]} (+{len(changes) - 1} more)"
