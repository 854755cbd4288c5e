"""A breach that a run alone set aside, as long as no person has looked at it.

The run keeps bytes and findings beside its report and ends with 10, and then the new file is clean. So
the report goes on telling of it, until somebody has acted in an incident of the breach since.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.status import FirewallWord
from pipeline.contracts.symptoms import LEAK
from pipeline.platform.firewall import Report, read_report
from pipeline.platform.lenient_json import count_of, flag_of, text_of, texts_of, unread
from pipeline.reading.incidents import JOURNAL, JOURNAL_TAIL_BYTES, incident_ids
from pipeline.reading.past_runs import RunReports
from pipeline.reading.report_files import Notes, last_objects, read_object

_IN_NAMES = LEAK.lower().replace(".", "-")
BATCH = "--batch"


@dataclass(frozen=True, slots=True)
class SetAside:
    """``report`` is what the firewall said of it, ``kept`` where the run keeps the bytes."""

    report: Report
    kept: str
    answer: str
    at: float

    @property
    def in_words(self) -> str:
        rows = self.report.rows_read
        found = f"{self.report.found} of {rows:,}" if rows else self.report.found
        return f"a run set aside {found}, not checked since: {self.kept}"


def unseen_breach(root: Path, runs: RunReports, run_ids: Iterable[str], notes: Notes) -> SetAside | None:
    """The newest one; None when there is none, or a person has acted on one since. Never raises."""
    for run_id in run_ids:
        found = _set_aside_by(root, runs, run_id, notes)
        if found is not None:
            return None if _somebody_acted_since(root, found.at, notes) else found
    return None


def _set_aside_by(root: Path, runs: RunReports, run_id: str, notes: Notes) -> SetAside | None:
    export = next(
        (
            each
            for each in paths.EXPORT_FILES.values()
            if _stands(root, paths.kept_answer(run_id, each), notes)
        ),
        None,
    )
    if export is None:
        return None
    answer = paths.kept_answer(run_id, export)
    summary, said = runs.summary(run_id, notes), read_object(root, answer, notes)
    finished = epoch_seconds(summary.get("finished_at")) if summary else None
    # A run that failed replaced nothing: what it kept still stands, and is judged itself.
    is_replaced = flag_of(summary, "ok") is True
    is_alarm = count_of(summary, "exit_code") == ExitCode.FIREWALL_BREACH
    if finished is None or not (is_replaced and is_alarm) or text_of(said, "state") != FirewallWord.BREACH:
        return None
    report = read_report(said)
    named = [each for each in paths.EXPORT_FILES.values() if report.by_file.get(str(each))]
    kept = paths.kept_export(run_id, named[0] if named else export)
    return SetAside(report, str(kept), str(answer), finished)


def _stands(root: Path, place: PurePosixPath, notes: Notes) -> bool:
    """Whether there is such a file; one of which that cannot be told is noted."""
    try:
        (root / place).lstat()
    except OSError as error:
        notes.cannot_read(place, unread(error))
        return False
    return True


def _somebody_acted_since(root: Path, when: float, notes: Notes) -> bool:
    """A batch that opens an incident has not looked at it."""
    try:
        names = incident_ids(root)
    except OSError as error:
        notes.cannot_read(paths.INCIDENTS, unread(error))
        return False
    for name in names:
        if _IN_NAMES not in name:
            continue
        for entry in last_objects(root, paths.INCIDENTS / name / JOURNAL, JOURNAL_TAIL_BYTES, notes):
            is_opened_by_batch = text_of(entry, "kind") == "opened" and BATCH in texts_of(entry, "argv")
            at = epoch_seconds(entry.get("recorded_at"))
            if at is not None and at > when and not is_opened_by_batch:
                return True
    return False
