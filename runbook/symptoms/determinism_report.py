"""The report of ``distill determinism``, and its first row that differs as a difference to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.status import epoch_seconds
from pipeline.platform.lenient_json import object_in, object_or_none
from pipeline.platform.process import Ended
from runbook.probes.evidence import Record
from runbook.probes.workspace import Workspace

REPORT = str(paths.DETERMINISM_REPORT)
_MOST_BYTES = 4 * 2**20
_FEWEST_RUNS = 2
_AROUND = 60


class Difference(Record):
    """The first place at which two runs part. ``line`` is None where a whole file is missing."""

    stage: str
    file: str
    line: int | None
    first_run: str
    second_run: str
    first: str
    second: str
    fields: tuple[str, ...]

    @property
    def place(self) -> str:
        where = f"{self.file}:{self.line}" if self.line is not None else self.file
        return f"{self.stage}: {where}" + (f" in {', '.join(self.fields[:5])}" if self.fields else "")

    @property
    def diff(self) -> tuple[str, ...]:
        """Both rows, cut to where they part, under the names of their runs."""
        start = next(
            (
                at
                for at, (one, other) in enumerate(zip(self.first, self.second, strict=False))
                if one != other
            ),
            min(len(self.first), len(self.second)),
        )
        begin = max(0, start - _AROUND)
        mark = "…" if begin else ""
        return (
            f"--- {self.file} ({self.first_run})",
            f"+++ {self.file} ({self.second_run})",
            *((f"@@ line {self.line} @@",) if self.line is not None else ()),
            f"-{mark}{self.first[begin:]}",
            f"+{mark}{self.second[begin:]}",
        )


class DeterminismReport(Record):
    """``runs`` is how many it took to see the difference, or to trust that there is none."""

    exit_code: int
    verdict: str
    runs: int
    finished_at: float | None
    elapsed_seconds: float
    difference: Difference | None


def last_report(workspace: Workspace) -> DeterminismReport | None:
    """None where there is none that can be read."""
    return _lenient(object_in(workspace.root / REPORT, most_bytes=_MOST_BYTES))


def told_by(ran: Ended) -> DeterminismReport | None:
    """What a run of the command printed; None when it gave no report."""
    return _lenient(object_or_none(ran.stdout))


def _lenient(raw: dict[str, Any] | None) -> DeterminismReport | None:
    try:
        return _report(raw)
    except ValueError:
        return None


def _report(raw: Any) -> DeterminismReport | None:
    """Raises ValueError for a member of another kind than the command writes."""
    if not isinstance(raw, dict) or raw.get("kind") != "determinism":
        return None
    found, runs = raw.get("difference"), raw.get("runs")
    return DeterminismReport(
        exit_code=int(raw.get("exit_code", -1)),
        verdict=str(raw.get("verdict")),
        runs=max(_FEWEST_RUNS, len(runs) if isinstance(runs, list) else 0),
        finished_at=epoch_seconds(raw.get("finished_at")),
        elapsed_seconds=float(raw.get("elapsed_seconds") or 0.0),
        difference=_difference(found) if isinstance(found, dict) else None,
    )


def _difference(found: Mapping[str, Any]) -> Difference:
    line, fields = found.get("line"), found.get("fields")
    names = ("stage", "file", "first_run", "second_run", "first", "second")
    return Difference(
        line=line if isinstance(line, int) else None,
        fields=tuple(str(each) for each in fields) if isinstance(fields, list) else (),
        **{name: str(found.get(name)) for name in names},
    )
