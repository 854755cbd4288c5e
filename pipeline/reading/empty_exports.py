"""Did the last run that exported leave an export empty, or keep the last-good ones for what it would lose?

Told from summaries and events. A run is refused where an export would become empty, and where it would
lose more rows than ``[export] max_shrink`` lets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.plurals import plural
from pipeline.platform.lenient_json import Json, object_of, object_or_none, read_tail
from pipeline.reading.past_runs import counts, summaries

EXPORTS = ("sft", "rag", "preference")
# The faults with which a run ends that would have replaced rows by nothing, and by few.
REFUSED = "export_emptied"
SHRUNK = "export_shrunk"
_TAIL_BYTES = 64 * 1024
_WRITES = {
    "run-all": EXPORTS,
    "export": EXPORTS,
    "export-sft": ("sft",),
    "export-rag": ("rag",),
    "export-preference": ("preference",),
}


@dataclass(frozen=True, slots=True)
class EmptyExport:
    """``refused`` when the last-good export still stands; ``shrunk`` when it would have kept some rows.

    ``rows_before`` is what the last good run before exported; ``earlier_run`` is its id, None where there
    is none.
    """

    pipeline_run_id: str
    command: str
    export: str
    refused: bool
    rows_before: int
    earlier_run: str | None
    finished_at: float | None
    shrunk: bool = False

    @property
    def says(self) -> str:
        before = f"{plural(self.rows_before, 'row')} before" if self.rows_before else "rows before"
        if self.shrunk:
            return f"the last run would have shrunk the {self.export} export ({before}) and was refused"
        if self.refused:
            return f"the last run would have emptied the {self.export} export ({before}) and was refused"
        return f"the last run exported no {self.export} rows ({before})"

    @property
    def source(self) -> str:
        return str(paths.summary_file(self.pipeline_run_id))


def find_empty_export(root: Path) -> EmptyExport | None:
    """The symptom, by the newest run that came as far as exporting. A run that failed for another
    reason says nothing about exports. Where there never were rows, empty is as it should be."""
    runs = _exporting(root)
    for name, summary, refusal in runs:
        emptied = refusal[0] if refusal else None
        if summary.get("ok") is True:
            written = counts(summary.get("counts"))
            empty = [each for each in _WRITES[str(summary["command"])] if written.get(each) == 0]
        else:
            empty = [emptied] if emptied else []
        earlier, before = _last_good(runs) if empty else (None, {})
        chosen = emptied or next((each for each in empty if before.get(each)), None)
        if chosen is None:
            return None
        return EmptyExport(
            pipeline_run_id=name,
            command=str(summary["command"]),
            export=chosen,
            refused=emptied is not None,
            rows_before=before.get(chosen, 0),
            earlier_run=earlier,
            finished_at=epoch_seconds(summary.get("finished_at")),
            shrunk=refusal is not None and refusal[1] == SHRUNK,
        )
    return None


def _exporting(root: Path) -> Iterator[tuple[str, Json, tuple[str, str] | None]]:
    """(id, summary, export that was kept with the fault's code) of runs that exported or were refused it."""
    for name, summary in summaries(root):
        if summary.get("command") not in _WRITES:
            continue
        if summary.get("ok") is True:
            yield name, summary, None
        elif summary.get("exit_code") == ExitCode.CHECK_FAILED and (kept := _refused(root, name)):
            yield name, summary, kept


def _last_good(
    runs: Iterator[tuple[str, Json, tuple[str, str] | None]],
) -> tuple[str | None, dict[str, int]]:
    """The next older run that committed all exports; refusals in between changed nothing."""
    for name, summary, _ in runs:
        if summary.get("ok") is True and _WRITES[str(summary["command"])] == EXPORTS:
            return name, counts(summary.get("counts"))
    return None, {}


def _refused(root: Path, run_id: str) -> tuple[str, str] | None:
    """Which export the run would have emptied or shrunk, and the fault, by the last event that it wrote."""
    data = read_tail(root / paths.events_file(run_id), _TAIL_BYTES)
    lines = data.splitlines() if isinstance(data, bytes) else []
    fault = object_of(object_or_none(lines[-1]) if lines else None, "fault")
    code, file_name = fault.get("code"), str(fault.get("file"))
    if code not in (REFUSED, SHRUNK):
        return None
    return next((each for each in EXPORTS if f"/{each}/" in file_name), EXPORTS[0]), str(code)
