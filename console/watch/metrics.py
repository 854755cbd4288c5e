"""PURE: the dashboard's numbers as Prometheus metrics, in the text format that the textfile collector reads.

No timestamps (the collector refuses a file that has one), HELP and TYPE before the samples of a family, label
values escaped, a newline at the end. Each number comes with the age of its reading.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from console.state.detectors import definitions
from pipeline.contracts.finding_words import CHECKED, NOT_CHECKED, NOT_EVALUATED
from pipeline.contracts.row_counts import StreamCounts
from pipeline.contracts.status import Answer, FirewallStatus, FirewallWord, PhaseState, WorkspaceStatus
from pipeline.contracts.untrusted import visible
from pipeline.reading.symptom_answers import Standing, standing_of, tally

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
LABEL_CHARACTERS = 200


@dataclass
class Family:
    """One metric. Every one of ours is a gauge: a file says what is, not what was added."""

    name: str
    help: str
    samples: list[tuple[Mapping[str, str], float]] = field(default_factory=list)

    def add(self, value: float | None, **labels: str) -> None:
        """One sample; None is "not known" and leaves no sample, because 0 would be a claim."""
        if value is not None:
            self.samples.append((labels, float(value)))


def exposition(families: Iterable[Family]) -> str:
    """The families that have samples. Raises ValueError for a name that the format has not."""
    lines = []
    for family in families:
        if not _NAME.match(family.name):
            raise ValueError(f"no metric name: {family.name}")
        if not family.samples:
            continue
        help_text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
        lines += [f"# HELP {family.name} {help_text}", f"# TYPE {family.name} gauge"]
        unique = {_labels(labels): value for labels, value in family.samples}
        lines += [f"{family.name}{labels} {_value(value)}" for labels, value in unique.items()]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    # Backslashes first: those of ``visible`` stand for themselves.
    return visible(value, LABEL_CHARACTERS).replace("\\", "\\\\").replace('"', '\\"')


def _value(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


_COUNTS = tuple(field.name for field in fields(StreamCounts) if field.name != "stream")
_FLAGGED = ("warn", "missing")


def status_metrics(status: WorkspaceStatus) -> str:
    """The textfile. What is not known has no sample."""
    read = Family("distill_status_read_timestamp_seconds", "When these numbers were read.")
    read.add(status.read_at)
    locked = Family("distill_lock_held", "1 while a run or an audit holds the workspace.")
    locked.add(float(status.lock.held))
    panes = (_phases, _firewall, _rows, _drift, _detectors, _rest)
    return exposition([read, locked, *(family for pane in panes for family in pane(status))])


def _phases(status: WorkspaceStatus) -> list[Family]:
    state = Family("distill_phase_state", "1 for the state that a phase is in, 0 for the others.")
    as_of = Family("distill_phase_verdict_timestamp_seconds", "When a phase's verdict was true.")
    for phase in status.phases:
        for word in PhaseState:
            state.add(float(phase.state is word), phase=phase.id, state=word)
        as_of.add(phase.origin.as_of, phase=phase.id)
    return [state, as_of]


def _firewall(status: WorkspaceStatus) -> list[Family]:
    state = Family("distill_firewall_state", "1 for the firewall's state, 0 for the others.")
    for word in FirewallWord:
        state.add(float(status.firewall.state is word), state=word)
    as_of = Family("distill_firewall_read_timestamp_seconds", "When the firewall last looked.")
    as_of.add(status.firewall.origin.as_of)
    is_read = status.firewall.state in (FirewallWord.CLEAR, FirewallWord.BREACH)
    counts = firewall_counts(status.firewall) if is_read else []
    return [state, *counts, *held_walls(status.firewall), as_of]


def firewall_counts(firewall: FirewallStatus) -> list[Family]:
    """What a look that came to its end counted; of another one no number may be told, least of all 0."""
    findings = Family("distill_firewall_findings", "Findings in the exports; a row may have several.")
    forbidden = Family("distill_firewall_forbidden_rows", "Rows of the exports with a finding.")
    by_wall = Family("distill_firewall_wall_findings", "Findings of each wall that rows were held against.")
    by_file = Family("distill_firewall_file_findings", "Findings in each file that has some.")
    findings.add(firewall.findings_count)
    forbidden.add(firewall.forbidden_rows)
    found = dict(firewall.by_wall)
    for wall in dict.fromkeys((*firewall.walls, *found)):
        by_wall.add(found.get(wall, 0), wall=wall)
    for file, number in firewall.by_file:
        by_file.add(number, file=file)
    return [findings, forbidden, by_wall, by_file]


def held_walls(firewall: FirewallStatus) -> list[Family]:
    """Which walls could not be evaluated, and whether evaluation sets were looked for."""
    missing = Family("distill_firewall_wall_not_evaluated", "1 for a wall that could not be evaluated.")
    checked = Family("distill_firewall_evaluation_sets", "1 for what is said of the evaluation sets.")
    refused = Family("distill_evaluation_refused_rows", "Rows kept out of the exports by evaluation sets.")
    for wall, _ in firewall.not_evaluated:
        missing.add(1, wall=wall)
    for word in (CHECKED, NOT_CHECKED, NOT_EVALUATED):
        checked.add(float((firewall.evaluation or NOT_CHECKED) == word), state=word)
    refused.add(firewall.evaluation_refused)
    return [missing, checked, refused]


def _rows(status: WorkspaceStatus) -> list[Family]:
    rows = Family("distill_stream_rows", "Rows of a stream in the last good run, by kind.")
    exported = Family("distill_export_rows", "Rows of an export.")
    refused = Family("distill_export_refused", "Runs that an export quarantined.")
    as_of = Family("distill_rows_timestamp_seconds", "When the rows were counted.")
    for stream in status.rows.streams:
        for name in _COUNTS:
            rows.add(getattr(stream, name), stream=stream.stream, kind=name)
    for export in status.rows.exports:
        exported.add(export.rows, export=export.name)
        refused.add(export.refused, export=export.name)
    as_of.add(status.rows.origin.as_of)
    return [rows, exported, refused, as_of]


def _drift(status: WorkspaceStatus) -> list[Family]:
    ratio = Family("distill_drift_ratio", "Change against the baseline, (current - baseline) / baseline.")
    flagged = Family("distill_drift_flagged", "1 where a metric warns or is missing.")
    for line in status.drift.lines:
        ratio.add(line.delta_ratio, metric=line.metric)
        flagged.add(float(line.status in _FLAGGED), metric=line.metric)
    return [ratio, flagged]


def _detectors(status: WorkspaceStatus) -> list[Family]:
    """What each symptom's detector says, and how many say it: silence is no all-clear by itself."""
    state = Family("distill_symptom_state", "1 for what is known of a symptom, 0 for the others.")
    as_of = Family("distill_symptom_seen_timestamp_seconds", "When what is known of a symptom was true.")
    detectors = Family("distill_symptom_detectors", "Detectors by the freshness of their answers.")
    known = {answer.id: answer for answer in status.answers}
    for definition in definitions():
        answer = known.get(definition.id)
        now = symptom_state(answer, status.read_at)
        for word in SYMPTOM_STATES:
            state.add(float(word == now), symptom=definition.id, severity=definition.severity, state=word)
        as_of.add(answer.as_of if answer is not None else None, symptom=definition.id)
    counted = tally(definitions(), status.answers, status.read_at)
    for standing in Standing:
        detectors.add(getattr(counted, standing), state=standing)
    return [state, as_of, detectors]


SYMPTOM_STATES = ("detected", "clear", Standing.UNKNOWN, Standing.STALE, Standing.NEVER)


def symptom_state(answer: Answer | None, now: float) -> str:
    """One word. What shows is detected also where it may be gone by now: nobody has seen it gone."""
    standing = standing_of(answer, now)
    if answer is not None and answer.is_detected:
        return "detected"
    return "clear" if standing is Standing.EVALUATED else standing


def _rest(status: WorkspaceStatus) -> list[Family]:
    symptom = Family("distill_symptom", "1 for each symptom that shows now.")
    since = Family("distill_symptom_since_timestamp_seconds", "When a symptom that shows was first seen.")
    for found in status.symptoms:
        symptom.add(1, symptom=found.id, severity=found.severity)
        since.add(found.since, symptom=found.id)
    last = Family("distill_run_finished_timestamp_seconds", "When the newest finished run ended.")
    good = Family("distill_run_ok", "1 when the newest finished run was good.")
    took = Family("distill_run_duration_seconds", "How long the newest finished run took.")
    for run in status.runs:
        if run.finished:
            last.add(run.ended)
            good.add(None if run.ok is None else float(run.ok))
            took.add(run.elapsed_seconds)
            break
    return [symptom, since, last, good, took]
