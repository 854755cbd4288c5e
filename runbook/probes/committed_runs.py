"""The runs that committed, newest first, as their summaries and receipts claim them.

A receipt is a claim: it names what a run read and wrote. Who can write the workspace can forge one,
so nothing is declared sound by it. Standard library only: the dashboard reads them as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.status import epoch_seconds
from pipeline.platform.lenient_json import object_in, objects_of

MOST_RUNS = 40
_MOST_BYTES = 16 * 2**20


@dataclass(frozen=True)
class CommittedRun:
    """One run with its summary. ``root`` is the workspace."""

    root: Path
    pipeline_run_id: str
    summary: dict[str, Any]

    @property
    def finished_at(self) -> float | None:
        return epoch_seconds(self.summary.get("finished_at"))

    @property
    def summary_path(self) -> str:
        return str(paths.summary_file(self.pipeline_run_id))

    @cached_property
    def receipts(self) -> dict[str, dict[str, Any]]:
        """Stage → receipt, as far as they can be read."""
        found = {}
        for entry in objects_of(self.summary, "stages"):
            stage, name = entry.get("stage"), entry.get("receipt")
            if isinstance(stage, str) and isinstance(name, str) and ".." not in Path(name).parts:
                receipt = object_in(self.root / name, most_bytes=_MOST_BYTES)
                if receipt is not None:
                    found[stage] = receipt
        return found

    def claims(self, stage: str, member: str) -> list[dict[str, Any]]:
        """``inputs`` or ``outputs`` of a stage: path, bytes, rows, sha256."""
        return objects_of(self.receipts.get(stage, {}), member)

    def counts_of(self, stream: str) -> dict[str, int]:
        """What the run counted of a stream; empty when it did not know it."""
        streams = self.summary.get("streams")
        return counts(streams.get(stream) if isinstance(streams, dict) else None)


def committed_runs(root: Path, most: int = MOST_RUNS) -> Iterator[CommittedRun]:
    """Newest first; what cannot be read is passed over. A run's id begins with its time."""
    for name, summary in summaries(root, most):
        if summary.get("ok") is True:
            yield CommittedRun(root, name, summary)


def last_committed(root: Path) -> CommittedRun | None:
    return next(committed_runs(root), None)


def summaries(root: Path, most: int = MOST_RUNS) -> Iterator[tuple[str, dict[str, Any]]]:
    """(run id, summary) of the newest runs that left one, failed ones too."""
    try:
        names = sorted((each.name for each in (root / paths.REPORTS).iterdir()), reverse=True)
    except OSError:
        return
    seen = 0
    # A run's id begins with its second; of two within one, the summaries tell which came first.
    for _, group in groupby(names, key=lambda name: name.split("-", 1)[0]):
        found = [
            (name, summary)
            for name in group
            if (summary := object_in(root / paths.summary_file(name), most_bytes=_MOST_BYTES))
        ]
        found.sort(key=lambda one: str(one[1].get("started_at")), reverse=True)
        for name, summary in found:
            if seen == most:
                return
            seen += 1
            yield name, summary


def counts(value: object) -> dict[str, int]:
    """The members that are whole numbers."""
    if not isinstance(value, dict):
        return {}
    return {str(name): each for name, each in value.items() if type(each) is int}
