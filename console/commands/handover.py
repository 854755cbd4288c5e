"""``distill handover --since 8h``: what the next shift must know, as text or as data."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from console.commands.status import read_whole_status
from console.presentation.counts import count
from console.reading.firewall_scan import SCAN_SECONDS
from console.reading.handover import Handover, read_handover
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import RunRow, SymptomStatus, as_data, iso_utc
from pipeline.contracts.untrusted import visible
from pipeline.platform.voice import Voice
from pipeline.reading.durations import age_in_words, age_of, clock_minute, took_in_words
from pipeline.reading.incidents import IncidentGlance


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root, now = voice.workspace, time.time()
    status = read_whole_status(root, SCAN_SECONDS)
    shift = read_handover(root, status.symptoms, status.lock, now - arguments.since, now)
    if voice.json:
        data = {"schema_version": 1, "kind": "handover", "workspace": status.workspace, "name": status.name}
        until = {"since": iso_utc(shift.since), "until": iso_utc(shift.until)}
        firewall = {"firewall": {"state": status.firewall.state, "detail": status.firewall.detail}}
        voice.out_json({**data, **as_data(shift), **until, **firewall})
        return ExitCode.OK
    voice.out(f"{visible(status.name)}  {clock_minute(shift.since)} to {clock_minute(shift.until)}")
    voice.out(f"firewall {status.firewall.state}")
    for line in handover_lines(shift):
        voice.out(line)
    return ExitCode.OK


def handover_lines(shift: Handover) -> Iterator[str]:
    """The sections in the order in which a shift reads them; an empty one says so."""
    now = shift.until
    yield from _section("open symptoms", [_symptom(one, now) for one in shift.symptoms])
    yield from _section("incidents", [_incident(one, now) for one in shift.incidents])
    yield from _section(
        "decisions",
        [
            f"{_ago(one.at, now):>9}  {one.kind} by {one.actor or '?'}: "
            f"{', '.join(one.metrics) or 'all metrics'} because: {one.note or '(no note)'}"
            for one in shift.decisions
        ],
    )
    yield from _section("failures", [_run(row, now) for row in shift.failures])
    yield from _section("runs", [_run(row, now) for row in shift.runs if row not in shift.failures])
    yield from _section(
        "verdicts",
        [
            f"{_ago(one.at, now):>9}  {one.report}: {one.verdict or f'exit {one.exit_code}'}"
            for one in shift.verdicts
        ],
    )
    if shift.replays:
        yield ""
        yield f"replays: {shift.replays:,}, of which {shift.replays_refused:,} were not valid"
    yield from (f"note: {text}" for text in shift.notes)


def _section(title: str, lines: list[str]) -> Iterator[str]:
    yield ""
    yield f"{title}: {len(lines) or 'none'}"
    yield from (f"  {visible(line, 400)}" for line in lines)


def _symptom(symptom: SymptomStatus, now: float) -> str:
    age = _ago(symptom.since, now)
    next_step = f" → {symptom.next_step}" if symptom.next_step else ""
    owner = symptom.owner or "nobody"
    return f"{symptom.severity:<8}  {age:>9}  {owner}: {symptom.id}: {symptom.observed}{next_step}"


def _incident(incident: IncidentGlance, now: float) -> str:
    said = f", said: {incident.last_note}" if incident.last_note else ""
    return (
        f"{incident.state:<17}  {_ago(incident.opened, now):>9}  {incident.owner or 'nobody'}: {incident.id}"
        f" {incident.symptom}{said}"
    )


def _run(row: RunRow, now: float) -> str:
    if not row.finished:
        return f"{_ago(row.started, now):>9}  {row.pipeline_run_id} {row.command}: not finished {row.note}"
    outcome = f"exit {row.exit_code}" if row.ok is not True else (row.run_hash or "")[:16]
    exports = f"{count(row.rag)} rag, {count(row.sft)} sft, {count(row.preference)} pairs"
    took = took_in_words(row.elapsed_seconds)
    return (
        f"{_ago(row.ended, now):>9}  {row.pipeline_run_id} {row.command} in {took}: "
        f"{count(row.evidence)} evidence, {exports}, {outcome}"
    )


def _ago(moment: float | None, now: float) -> str:
    return age_in_words(age_of(moment, now))
