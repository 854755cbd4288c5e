"""Past runs, newest first, from the folders that they left under ``reports/distillation``.

A receipt is a claim: it names what a run read and wrote. Who can write the workspace can forge one,
so nothing is declared sound by it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.evidence_fields import LOST
from pipeline.contracts.moments import epoch_seconds
from pipeline.platform.lenient_json import (
    Json,
    flag_of,
    inside,
    object_in,
    object_of,
    objects_of,
    read_bytes,
    text_of,
    unread,
)
from pipeline.reading import reach
from pipeline.reading.report_files import Notes, read_object

RUNS_LIMIT = 40
_RUN_FOLDER = re.compile(r"\d{8}T\d{6}Z-[0-9a-z]{1,16}\Z")


@dataclass(frozen=True, slots=True)
class Receipt:
    """One stage's claims, as read; ``is_as_summed`` when its digest is the summary's."""

    stage: str
    phase: str
    relative: str
    body: Json
    is_as_summed: bool


@dataclass
class RunReports:
    """Summaries by run, kept once read: a summary never changes after its commit."""

    root: Path
    _summaries: dict[str, tuple[int, Json | None]] = field(default_factory=dict)
    _state: tuple[int, str] | None = None

    def run_ids(self, notes: Notes) -> list[str]:
        """The newest run folders' names, newest first."""
        return list(islice(self.newest_first(notes), RUNS_LIMIT))

    def newest_first(self, notes: Notes) -> Iterator[str]:
        """All run folders' names. Of two runs within one second their summaries tell which came first.

        Names follow the clock, and clocks jump: the run that the engine remembers as its last committed
        one comes before every other that committed.
        """
        names, last = list(self._by_name(notes)), self._remembered()
        newer = names[: names.index(last)] if last in names else []
        overtaken = [name for name in newer if flag_of(self.summary(name, notes), "ok") is True]
        yield from (name for name in newer if name not in overtaken)
        yield from ([last] if last in names else [])
        yield from overtaken
        yield from names[len(newer) + (last in names) :]

    def _remembered(self) -> str:
        """The run that ``.distill/state.json`` names; empty without one."""
        path = self.root / paths.RUN_STATE
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            return ""
        if self._state is None or self._state[0] != changed:
            self._state = changed, text_of(object_in(path), "pipeline_run_id") or ""
        return self._state[1]

    def _by_name(self, notes: Notes) -> Iterator[str]:
        try:
            with os.scandir(self.root / paths.REPORTS) as entries:
                names = [entry.name for entry in entries if _RUN_FOLDER.match(entry.name)]
        except OSError as error:
            notes.cannot_read(paths.REPORTS, unread(error))
            return
        for _, found in groupby(sorted(names, reverse=True), key=lambda name: name.split("-", 1)[0]):
            group = list(found)
            if len(group) > 1:
                group.sort(key=lambda name: self._started(name, notes), reverse=True)
            yield from group

    def _started(self, run_id: str, notes: Notes) -> str:
        return text_of(self.summary(run_id, notes), "started_at") or ""

    def summary(self, run_id: str, notes: Notes) -> Json | None:
        """The summary of one run; None when there is none or it is garbage (then noted)."""
        relative = paths.summary_file(run_id)
        try:
            changed = (self.root / relative).stat().st_mtime_ns
        except OSError as error:
            notes.cannot_read(relative, unread(error))
            return None
        known = self._summaries.get(run_id)
        if known is None or known[0] != changed or known[1] is None:
            known = self._summaries[run_id] = (changed, read_object(self.root, relative, notes))
        return known[1]

    def has_summary(self, run_id: str) -> bool:
        """Whether there is one; what may not be looked at is taken to be there."""
        try:
            (self.root / paths.summary_file(run_id)).stat()
        except OSError as error:
            return error.errno not in reach.GONE
        return True

    def keep_only(self, run_ids: Collection[str]) -> None:
        """Forget the summaries of other runs."""
        self._summaries = {key: value for key, value in self._summaries.items() if key in run_ids}


@dataclass(frozen=True)
class CommittedRun:
    """One run that committed, with its summary. ``root`` is the workspace."""

    root: Path
    pipeline_run_id: str
    summary: Json

    @property
    def finished_at(self) -> float | None:
        return epoch_seconds(self.summary.get("finished_at"))

    @property
    def summary_path(self) -> str:
        return str(paths.summary_file(self.pipeline_run_id))

    @cached_property
    def receipts(self) -> dict[str, Json]:
        """Stage → receipt, as far as they can be read."""
        found, _ = read_receipts(self.root, self.summary, Notes())
        return {receipt.stage: receipt.body for receipt in found}

    def claims(self, stage: str, member: str) -> list[dict[str, Any]]:
        """``inputs`` or ``outputs`` of a stage: path, bytes, rows, sha256."""
        return objects_of(self.receipts.get(stage), member)

    def counts_of(self, stream: str) -> dict[str, int]:
        """What the run counted of a stream; empty when it did not know it."""
        return counts(object_of(self.summary, "streams").get(stream))

    def lost_fields(self, stream: str) -> dict[str, int]:
        """Evidence fields that no row of the stream has any more → rows that had them before."""
        of_stream = object_of(object_of(self.receipts.get("materialize"), "by_stream"), stream)
        return {
            key.removeprefix(LOST): rows for key, rows in counts(of_stream).items() if key.startswith(LOST)
        }


def committed_runs(root: Path, most: int | None = RUNS_LIMIT) -> Iterator[CommittedRun]:
    """Newest first; what cannot be read is passed over."""
    for name, summary in summaries(root, most):
        if summary.get("ok") is True:
            yield CommittedRun(root, name, summary)


def last_committed(root: Path) -> CommittedRun | None:
    return next(committed_runs(root), None)


def summaries(root: Path, most: int | None = RUNS_LIMIT) -> Iterator[tuple[str, Json]]:
    """(run id, summary) of the newest runs that left one, failed ones too."""
    reports, notes = RunReports(root), Notes()
    left = ((name, reports.summary(name, notes)) for name in reports.newest_first(notes))
    yield from islice(((name, summary) for name, summary in left if summary), most)


def counts(value: object) -> dict[str, int]:
    """The members that are whole numbers."""
    if not isinstance(value, Mapping):
        return {}
    return {str(name): each for name, each in value.items() if type(each) is int}


def summary_faults(summary: Json, run_id: str) -> list[str]:
    """What a viewer can tell to be wrong with a summary; the audit validates it in full."""
    faults = []
    if summary.get("pipeline_run_id") != run_id:
        faults.append("pipeline_run_id is not its folder's name")
    if flag_of(summary, "ok") is None:
        faults.append("ok is missing")
    if flag_of(summary, "ok") and not text_of(summary, "run_hash"):
        faults.append("run_hash is missing")
    if not object_of(summary, "counts"):
        faults.append("counts are missing")
    return faults


def read_receipts(root: Path, summary: Json, notes: Notes) -> tuple[list[Receipt], list[str]]:
    """The receipts that a summary names, and what is wrong with them (missing, not as summed)."""
    receipts, faults = [], []
    for entry in objects_of(summary, "stages"):
        relative = inside(entry.get("receipt"))
        stage = text_of(entry, "stage") or "?"
        if relative is None:
            faults.append(f"{stage}: the receipt's path is missing or leaves the workspace")
            continue
        body = read_object(root, relative, notes)
        if body is None:
            faults.append(f"{stage}: receipt {relative} is missing or unreadable")
            continue
        data = read_bytes(root / relative)
        digest = sha256(data).hexdigest() if isinstance(data, bytes) else ""
        as_summed = digest == text_of(entry, "sha256")
        if not as_summed:
            faults.append(f"{stage}: receipt {relative} is not the one that the summary names")
        receipts.append(Receipt(stage, text_of(body, "phase") or "", str(relative), body, as_summed))
    return receipts, faults
