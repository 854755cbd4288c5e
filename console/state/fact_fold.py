"""PURE: how one fact changes what is known: a reading of the disk, of the watcher, of a process."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from console.state.view_state import (
    CancelAsked,
    Fact,
    FirewallLost,
    FirewallSeen,
    Noted,
    OthersSeen,
    PastLog,
    ReadFailed,
    RunbookHeard,
    RunEnded,
    RunFollowed,
    RunView,
    SessionChanged,
    StatusRead,
    Tick,
    ViewState,
    logged,
    with_entries,
)
from pipeline.contracts.moments import iso_utc
from pipeline.contracts.status import Answer, FirewallStatus, FirewallWord, Freshness, PhaseState, Verdict
from pipeline.contracts.symptoms import ENGINE_DOES_NOT_START
from pipeline.platform.process_end import exit_in_words


def fold_fact(state: ViewState, fact: Fact, now: float) -> ViewState:
    """``state`` after one fact; the panes are derived from it afterwards."""
    match fact:
        case StatusRead(status=status):
            return _status_read(state, fact) if status.workspace else state
        case ReadFailed(reason=reason):
            return replace(state, trouble=reason)
        case FirewallSeen(firewall=firewall):
            return _firewall_seen(state, firewall, now)
        case FirewallLost(reason=reason):
            return _firewall_lost(state, reason, now)
        case RunFollowed():
            return _run_followed(state, fact)
        case CancelAsked(pipeline_run_id=run_id):
            if state.run is None or state.run.pipeline_run_id != run_id or state.run.ended:
                return state
            state = noted(state, now, "info", "cancel asked; the run stops at a safe point")
            return replace(state, run=replace(state.run or RunView(run_id), cancelling=True))
        case RunEnded():
            return _run_ended(state, fact, now)
        case SessionChanged(session=session):
            return replace(state, session=session)
        case OthersSeen(others=others):
            return replace(state, session=replace(state.session, others=others))
        case RunbookHeard(reading=reading):
            if reading.trouble and reading.trouble != state.runbook.trouble:
                state = noted(state, now, "error", reading.trouble[0])
            return replace(state, runbook=reading)
        case Noted(level=level, text=text):
            return noted(state, now, level, text)
        case PastLog(entries=entries):
            return with_entries(state, entries)
        case Tick():
            return state
        case _:
            assert_never(fact)


def noted(state: ViewState, now: float, level: str, text: str) -> ViewState:
    """One more log line of the console's own."""
    return logged(state, iso_utc(now) or "", level, text)


def _status_read(state: ViewState, fact: StatusRead) -> ViewState:
    status = fact.status
    run = state.run
    if run is not None and run.ended and run.ended_at is not None and status.read_at >= run.ended_at:
        # The run's own claims are on disk now, checked against the files; they replace the stream's.
        run = replace(run, phases=(), drift=())
        state = replace(state, live_rows=None)
    return replace(
        state,
        base=status,
        run=run,
        name=status.name,
        lock=status.lock,
        git=status.git,
        engine=status.engine,
        runs=status.runs,
        notes=status.notes,
        heard_at=status.read_at,
        trouble="",
    )


def _firewall_seen(state: ViewState, firewall: FirewallStatus, now: float) -> ViewState:
    before = state.watched
    if firewall.state is FirewallWord.BREACH and firewall.since is None:
        known = before.since if before and before.state is FirewallWord.BREACH else None
        firewall = replace(firewall, since=known or now)
    if before is None or before.state is not firewall.state:
        level = "error" if firewall.state is FirewallWord.BREACH else "info"
        count = f", {firewall.found}" if firewall.findings_count else ""
        state = noted(state, now, level, f"firewall {firewall.state}{count}")
    return replace(state, watched=firewall)


def _firewall_lost(state: ViewState, reason: str, now: float) -> ViewState:
    state = noted(state, now, "warning", f"firewall watcher: {reason}")
    before = state.watched or FirewallStatus()
    origin = replace(before.origin, freshness=Freshness.UNKNOWN, why=reason)
    # An alarm is not silenced by the death of the watcher that raised it.
    word = before.state if before.state is FirewallWord.BREACH else FirewallWord.UNKNOWN
    return replace(state, watched=replace(before, state=word, origin=origin, detail=reason))


def _run_followed(state: ViewState, fact: RunFollowed) -> ViewState:
    run = state.run
    if run is not None and not run.ended and run.pipeline_run_id == fact.pipeline_run_id:
        return replace(state, run=replace(run, ours=run.ours or fact.ours, pid=fact.pid or run.pid))
    followed = RunView(
        fact.pipeline_run_id,
        command=fact.command,
        user=fact.user,
        host=fact.host,
        pid=fact.pid,
        ours=fact.ours,
    )
    return replace(state, run=followed, live_rows=None, engine_answer=None)


def _run_ended(state: ViewState, fact: RunEnded, now: float) -> ViewState:
    run = state.run or RunView(fact.pipeline_run_id)
    for line in fact.stderr_tail:
        state = noted(state, now, "error", line)
    if fact.before_first_event:
        said = f"the engine ended before its first event, {_code_in_words(fact.exit_code)}"
        last = f": {fact.stderr_tail[-1]}" if fact.stderr_tail else ""
        answer = Answer(Verdict.DETECTED, said + last, now, since=now, id=ENGINE_DOES_NOT_START)
        state = replace(state, engine_answer=answer)
    if run.ended:
        return state
    outcome = fact.reason or f"ended without a last event, {_code_in_words(fact.exit_code)}"
    state = noted(state, now, "error", f"{run.command or 'run'} {outcome}")
    phases = tuple(known for known in run.phases if known.state not in (PhaseState.RUN, PhaseState.NEXT))
    run = replace(
        run, ended=True, ended_at=now, ok=False, exit_code=fact.exit_code, outcome=outcome, phases=phases
    )
    return replace(state, run=run)


def _code_in_words(code: int | None) -> str:
    """An exit code; a negative one is the signal that ended the process."""
    if code is None:
        return "exit code not known"
    return f"exit code {code}" if code >= 0 else exit_in_words(code)
