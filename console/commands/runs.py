"""``distill runs``: past runs, newest first, with their counts and run_hash."""

from __future__ import annotations

import argparse
import time

from console.presentation.counts import count
from pipeline.contracts.faults import ExitCode, InputError
from pipeline.contracts.status import STATUS_VERSION, RunRow
from pipeline.contracts.status_data import as_data
from pipeline.contracts.untrusted import visible
from pipeline.platform.voice import Voice
from pipeline.reading.durations import age_in_words, age_of, took_in_words
from pipeline.reading.lock_facts import read_lock
from pipeline.reading.past_runs import RunReports
from pipeline.reading.report_files import Notes
from pipeline.reading.run_rows import run_rows

COLUMNS = ("run", "command", ">ended", ">took", ">lines", ">rag", ">sft", ">pairs", "run_hash")


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root, now, notes = voice.workspace, time.time(), Notes()
    reports = RunReports(root)
    ids = reports.run_ids(notes)
    if not ids and notes.lines:
        raise InputError.of(
            "runs_unread",
            f"Past runs cannot be listed: {notes.lines[0]}.",
            "Nothing was changed.",
            "Give yourself read permission there, then: distill runs",
        )
    rows = run_rows(reports, ids, read_lock(root, now), notes)[: max(0, arguments.limit)]
    if voice.json:
        voice.out_json({"status_version": STATUS_VERSION, "runs": as_data(rows), "notes": notes.lines})
        return ExitCode.OK
    if not rows:
        voice.note("No run yet. Make one: distill run-all")
    else:
        voice.table(COLUMNS, [cells(row, now) for row in rows])
    for text in notes.lines:
        voice.note(f"note: {text}")
    return ExitCode.OK


def cells(row: RunRow, now: float) -> list[str]:
    """One run in these columns."""
    if not row.finished:
        age = age_in_words(age_of(row.started, now))
        return [row.pipeline_run_id, visible(row.command, 12), age, "", "", "", "", "", row.note]
    outcome = row.run_hash[:16] if row.ok and row.run_hash else f"FAILED, exit {row.exit_code}"
    counts = [count(number) for number in (row.lines, row.rag, row.sft, row.preference)]
    age, took = age_in_words(age_of(row.ended, now)), took_in_words(row.elapsed_seconds)
    return [row.pipeline_run_id, visible(row.command, 12), age, took, *counts, visible(outcome, 40)]
