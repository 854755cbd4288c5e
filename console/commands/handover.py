"""``distill handover --since 8h``: what the next shift must know, as text or as data."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence

from console.commands.runs import COLUMNS, cells
from console.commands.status import read_whole_status
from console.reading.handover import Handover, read_handover
from console.state.detectors import definitions
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.moments import iso_utc
from pipeline.contracts.status import SymptomStatus
from pipeline.contracts.status_data import as_data
from pipeline.contracts.untrusted import visible
from pipeline.platform.voice import Voice
from pipeline.reading.durations import age_in_words, age_of, clock_minute
from pipeline.reading.incidents import IncidentGlance
from pipeline.reading.symptom_answers import tally

CELL_CHARACTERS = 300
SYMPTOMS = "open symptoms"


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root, now = voice.workspace, time.time()
    status = read_whole_status(root)
    shift = read_handover(root, status.symptoms, status.lock, now - arguments.since, now)
    if voice.json:
        data = {"schema_version": 1, "kind": "handover", "workspace": status.workspace, "name": status.name}
        until = {"since": iso_utc(shift.since), "until": iso_utc(shift.until)}
        firewall = {"firewall": {"state": status.firewall.state, "detail": status.firewall.detail}}
        unknown = {"unknown": dict(shift.unknown)}
        voice.out_json({**data, **as_data(shift), **until, **firewall, **unknown})
        return ExitCode.OK
    counted = tally(definitions(), status.answers, status.read_at)
    voice.out(f"{visible(status.name)}  {clock_minute(shift.since)} to {clock_minute(shift.until)}")
    voice.out(f"firewall {status.firewall.state}")
    for title, columns, rows in sections(shift):
        aside = f" · {counted.in_words(status.read_at)}" if title == SYMPTOMS else ""
        voice.out(f"\n{title}: {visible(counts(shift, title, len(rows)))}{aside}")
        if rows:
            voice.table(columns, [[visible(cell, CELL_CHARACTERS) for cell in row] for row in rows])
    if "replays" in shift.unknown:
        voice.out(f"\nreplays: {visible(counts(shift, 'replays', shift.replays))}")
    elif shift.replays:
        voice.out(f"\nreplays: {shift.replays:,}, not valid: {shift.replays_refused:,}")
    for text in shift.notes:
        voice.out(f"note: {visible(text, 400)}")
    return ExitCode.OK


def counts(shift: Handover, title: str, found: int) -> str:
    """How many a list has; nothing is none only where its source could be read."""
    if title in shift.unknown:
        return f"{f'{found} and ' if found else ''}unknown: {shift.unknown[title]}"
    return str(found or "none")


def sections(shift: Handover) -> Iterator[tuple[str, Sequence[str], Sequence[Sequence[str]]]]:
    """Title, columns and rows, in the order in which a shift reads them."""
    now = shift.until
    columns = ("severity", ">since", "who", "symptom", "observed", "next")
    yield SYMPTOMS, columns, [_symptom(one, now) for one in shift.symptoms]
    columns = ("state", ">opened", "who", "incident", "symptom", "said")
    yield "incidents", columns, [_incident(one, now) for one in shift.incidents]
    decisions = [
        (_ago(one.at, now), one.kind, one.actor or "?", ", ".join(one.metrics) or "all", one.note or "-")
        for one in shift.decisions
    ]
    yield "decisions", (">when", "what", "by", "metrics", "because"), decisions
    yield "failures", COLUMNS, [cells(row, now) for row in shift.failures]
    yield "runs", COLUMNS, [cells(row, now) for row in shift.runs if row not in shift.failures]
    verdicts = [
        (_ago(one.at, now), one.report, one.verdict or f"exit {one.exit_code}") for one in shift.verdicts
    ]
    yield "verdicts", (">when", "report", "verdict"), verdicts


def _symptom(one: SymptomStatus, now: float) -> tuple[str, ...]:
    return (
        str(one.severity),
        _ago(one.since, now),
        one.owner or "nobody",
        one.id,
        one.observed,
        one.next_step,
    )


def _incident(one: IncidentGlance, now: float) -> tuple[str, ...]:
    opened = _ago(one.opened, now)
    return one.state, opened, one.owner or "nobody", one.id, one.symptom, one.last_note


def _ago(moment: float | None, now: float) -> str:
    return age_in_words(age_of(moment, now))
