"""PURE: the dashboard as lines of text, and the exit code that it stands for.

The same facts, words and marks as the screens; no escape sequence is ever written. What comes
from data has been made visible, and every group of numbers says how old it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.presentation.counts import count, plural, share
from console.presentation.durations import age_in_words, age_of, took_in_words
from console.presentation.spans import fit_text
from console.presentation.states import DRIFT, FIREWALL, PHASES, SEVERITIES
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import (
    DriftLine,
    FirewallStatus,
    FirewallWord,
    Freshness,
    Origin,
    PhaseState,
    PhaseStatus,
    RowCounts,
    Severity,
    StreamCounts,
    SymptomStatus,
    WorkspaceStatus,
    iso_utc,
)
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.state.view_state import ViewState

WIDTH = 80
FINDINGS_SHOWN = 5
DRIFT_SHOWN = 12


def exit_code(status: WorkspaceStatus | ViewState) -> ExitCode:
    """10 for a breach, 1 for a failed check or a symptom of severity error or critical, else 0.

    Only what was evaluated counts: a check that never ran changes nothing.
    """
    if status.firewall.state is FirewallWord.BREACH:
        return ExitCode.FIREWALL_BREACH
    failed = any(phase.state is PhaseState.FAIL for phase in status.phases)
    severe = any(symptom.severity in (Severity.CRITICAL, Severity.ERROR) for symptom in status.symptoms)
    return ExitCode.CHECK_FAILED if failed or severe else ExitCode.OK


def status_lines(status: WorkspaceStatus) -> list[str]:
    """The whole status, top to bottom in the order of the dashboard."""
    now = status.read_at
    return [
        *_head(status),
        "",
        *_symptoms(status.symptoms, now),
        "",
        *_firewall(status.firewall, now),
        "",
        *_phases(status.phases, now),
        "",
        *_latest_run(status, now),
        *_rows(status.rows, now),
        "",
        *_drift(status, now),
        *(["", *(f"note: {visible(text, 200)}" for text in status.notes)] if status.notes else []),
    ]


def _head(status: WorkspaceStatus) -> list[str]:
    git, lock, engine = status.git, status.lock, status.engine
    if git.head is None:
        repository = git.note or "no commit yet"
    else:
        tree = "dirty" if git.dirty else "clean"
        repository = f"{git.branch or 'detached'} {git.head[:7]} {tree}"
    if git.is_repository:
        repository += f" · tag {git.last_good_tag}" + ("" if git.tag_commit else " (no such tag)")
    if lock.held:
        who = f"lock held by {lock.user or 'somebody'} ({lock.command}, pid {lock.pid}"
        who += f", {_age(lock.since, status.read_at)})"
    else:
        who = "lock free" + (", a commit is open: the next run settles it" if lock.open_intent else "")
    engine_words = f"engine {engine.source}" + (f" REFUSED: {engine.refused}" if engine.refused else "")
    return [
        visible(f"{status.name} · {repository} · {iso_utc(status.read_at)}"),
        visible(f"{status.workspace} · {engine_words} · {who}"),
    ]


def _symptoms(symptoms: tuple[SymptomStatus, ...], now: float) -> list[str]:
    if not symptoms:
        return ["SYMPTOMS   none seen by what was read"]
    lines = [f"SYMPTOMS   {len(symptoms)}, worst first"]
    for symptom in symptoms:
        look = SEVERITIES[symptom.severity]
        since = f", since {_age(symptom.since, now)}" if symptom.since is not None else ""
        lines.append(f" {look.mark} {look.word:<8} {symptom.id:<20} {visible(symptom.observed, 160)}{since}")
        if symptom.next_step:
            lines.append(f"   next: {symptom.next_step}")
    return lines


def _firewall(firewall: FirewallStatus, now: float) -> list[str]:
    look = FIREWALL[firewall.state]
    parts = [f"{look.mark} {look.word}"]
    if firewall.findings_count:
        parts.append(f"{plural(firewall.findings_count, 'forbidden row')}")
    if firewall.rows_read:
        parts.append(f"{firewall.rows_read:,} rows read")
    if firewall.since is not None:
        parts.append(f"since {_age(firewall.since, now)}")
    lines = [_title("FIREWALL", ", ".join(parts), firewall.origin, now)]
    if firewall.detail:
        lines.append(f"   {visible(firewall.detail, 200)}")
    if firewall.cause:
        lines.append(f"   cause: {visible(firewall.cause, 200)}")
    for found in firewall.findings[:FINDINGS_SHOWN]:
        wall, who = visible(found.wall, 9), visible(found.run_id or found.row_id or "", 60)
        lines.append(f"   line {found.line:<8,} {wall:<9} {visible(found.detail, 80)} {who}".rstrip())
    more = firewall.findings_count - min(FINDINGS_SHOWN, len(firewall.findings))
    if firewall.findings and more > 0:
        lines.append(f"   and {more:,} more: distill firewall")
    return lines


def _phases(phases: tuple[PhaseStatus, ...], now: float) -> list[str]:
    lines = ["PHASES          state         age     took"]
    for phase in phases:
        look = PHASES[phase.state]
        why = ", ".join(phase.failed_checks) or phase.origin.why or phase.detail
        row = f" {phase.id} {phase.name:<11} {look.mark} {look.word:<8}{_age(phase.origin.as_of, now):>8}"
        row += f"{took_in_words(phase.elapsed_seconds):>9}  {visible(why, 90)}"
        lines.append(row.rstrip())
    return lines


def _latest_run(status: WorkspaceStatus, now: float) -> list[str]:
    if not status.runs:
        return []
    run = status.runs[0]
    if run.finished:
        outcome = "ok" if run.ok else f"FAILED, exit {run.exit_code}"
        outcome += f", {_age(run.ended, now)} ago, took {took_in_words(run.elapsed_seconds)}"
    else:
        outcome = f"{run.note}, started {_age(run.started, now)} ago"
    return [visible(f"LATEST RUN {run.pipeline_run_id} {run.command} {outcome}"), ""]


def _rows(rows: RowCounts, now: float) -> list[str]:
    if rows.total.evidence is None and not rows.streams:
        return [_title("ROWS", "not counted", rows.origin, now)]
    total = rows.total
    lines = [_title("ROWS", f"{count(total.lines)} source lines", rows.origin, now)]
    lines.append(f"   {'stream':<24}{'evidence':>9}{'accept':>9}{'partial':>9}{'review':>9}{'reject':>9}")
    lines += [_stream_row(stream) for stream in (*rows.streams, total)]
    if total.evidence:
        parts = (total.accepted, total.partially_accepted, total.needs_human_review, total.rejected)
        shares = "".join(f"{share(part or 0, total.evidence):>9}" for part in parts)
        lines.append(f"   {'share':<33}{shares}")
    for export in rows.exports:
        lines.append(f"   {export.name:<11}{count(export.rows):>9} rows  {count(export.refused):>9} refused")
    broken = [balance for balance in rows.balances if not balance.holds]
    for balance in broken:
        right = " + ".join(f"{value:,} {name}" for name, value in balance.right)
        lines.append(f" X {balance.name} does not balance: {balance.left:,} is not {right}")
    if rows.balances and not broken:
        lines.append("   counts balance: ok")
    return lines


def _stream_row(stream: StreamCounts) -> str:
    numbers = (
        stream.evidence,
        stream.accepted,
        stream.partially_accepted,
        stream.needs_human_review,
        stream.rejected,
    )
    return f"   {fit_text(visible(stream.stream), 24)}" + "".join(f"{count(number):>9}" for number in numbers)


def _drift(status: WorkspaceStatus, now: float) -> list[str]:
    drift = status.drift
    if not drift.lines:
        return [f"DRIFT      {drift.note}"]
    flagged = sum(line.status in ("warn", "missing") for line in drift.lines)
    lines = [_title("DRIFT", f"{flagged} of {plural(len(drift.lines), 'metric')} moved", drift.origin, now)]
    lines += [_drift_row(line) for line in drift.lines[:DRIFT_SHOWN]]
    if len(drift.lines) > DRIFT_SHOWN:
        lines.append(f"   and {len(drift.lines) - DRIFT_SHOWN} more: distill status --json")
    return lines


def _drift_row(line: DriftLine) -> str:
    look = DRIFT.get(line.status)
    mark = look.mark if look else "?"
    delta = "-" if line.delta_ratio is None else f"{line.delta_ratio:+.0%}"
    z = "-" if line.z is None else f"{line.z:.1f}"
    metric = fit_text(visible(line.metric), 32)
    return f" {mark} {metric}{_number(line.baseline):>12}{_number(line.current):>12}{delta:>8}{z:>7}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.3f}"


def _title(name: str, what: str, origin: Origin, now: float) -> str:
    """A pane's first line: what it shows, and how far that may be believed."""
    text = f"{name:<11}{what}"
    if origin.as_of is None:
        return f"{text} ({origin.why})" if origin.why else text
    age = "live" if origin.freshness is Freshness.FRESH and origin.source == "live" else ""
    age = age or f"{_age(origin.as_of, now)} old"
    stale = f", {origin.freshness}" if origin.freshness in (Freshness.STALE, Freshness.CLOCK) else ""
    why = f": {origin.why}" if origin.why else ""
    return visible(f"{text} ({age}{stale}{why})")


def _age(as_of: float | None, now: float) -> str:
    return age_in_words(age_of(as_of, now))
