"""PURE: how facts change the view state, and how its panes follow from what is known.

Three sources overlap: what was last read from disk (``base``), what the followed run says, and
what the firewall's watcher says. ``advance`` stores the new item, then ``_panes`` derives every
pane again and marks those that differ. One place decides which source wins.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from console import staleness
from console.drift_lines import flagged_first
from console.view_state import (
    LOG_LIMIT,
    CancelAsked,
    Fact,
    FirewallLost,
    FirewallSeen,
    LogEntry,
    Noted,
    Pane,
    ReadFailed,
    RunEnded,
    RunFollowed,
    RunView,
    SessionChanged,
    StatusRead,
    Tick,
    ViewState,
)
from pipeline.contracts.status import (
    PHASE_NAMES,
    DriftStatus,
    FirewallStatus,
    FirewallWord,
    Freshness,
    Origin,
    PhaseState,
    PhaseStatus,
    RowCounts,
    Severity,
    SymptomStatus,
    iso_utc,
)

if TYPE_CHECKING:
    from console.event_tail import TailSlice
    from pipeline.contracts.events import Event

SEVERITY_ORDER = {Severity.CRITICAL: 0, Severity.ERROR: 1, Severity.WARNING: 2, Severity.INFO: 3}
_FIELDS_OF_PANE = {
    Pane.BAND: ("symptoms", "trouble"),
    Pane.FIREWALL: ("firewall",),
    Pane.ROWS: ("rows",),
    Pane.PHASES: ("phases", "run"),
    Pane.DRIFT: ("drift",),
    Pane.RUNS: ("runs", "run"),
    Pane.LOG: ("log",),
    Pane.STATUS_LINE: ("session", "lock", "git", "engine", "notes", "trouble", "lost_events", "name"),
}
_FACTS = (
    StatusRead,
    ReadFailed,
    FirewallSeen,
    FirewallLost,
    RunFollowed,
    CancelAsked,
    RunEnded,
    SessionChanged,
    Noted,
    Tick,
)


def advance(state: ViewState, item: Event | TailSlice | Fact, now: float) -> ViewState:
    """See ``view_state.advance``, the public door."""
    after = _fold_fact(state, item, now) if isinstance(item, _FACTS) else _fold_stream(state, item, now)
    after = _panes(after, now)
    changed = frozenset(
        pane
        for pane, names in _FIELDS_OF_PANE.items()
        if any(getattr(after, name) != getattr(state, name) for name in names)
    )
    return replace(after, dirty=state.dirty | changed)


def _fold_stream(state: ViewState, item: Event | TailSlice, now: float) -> ViewState:
    from console import event_fold  # 0.1 s of model building, not needed for the first paint
    from console.event_tail import TailSlice

    if not isinstance(item, TailSlice):
        last = state.run.last_seq if state.run else 0
        lost = max(0, item.seq - last - 1) if last and item.type != "run.started" else 0
        state = _count_damage(state, lost, 0, now)
        return _seen_seq(event_fold.fold_event(state, item, now), item.seq)
    state = _count_damage(state, item.lost, item.garbage, now)
    for event in item.events:
        state = _seen_seq(event_fold.fold_event(state, event, now), event.seq)
    return state


def _seen_seq(state: ViewState, seq: int) -> ViewState:
    run = state.run
    return state if run is None or seq <= run.last_seq else replace(state, run=replace(run, last_seq=seq))


def _count_damage(state: ViewState, lost: int, garbage: int, now: float) -> ViewState:
    if not (lost or garbage):
        return state
    text = " and ".join(
        f"{count} {word}" for count, word in ((lost, "events lost"), (garbage, "lines unreadable")) if count
    )
    state = _note(state, now, "warning", f"event stream: {text}; counts catch up with the next report")
    return replace(state, lost_events=state.lost_events + lost, garbage_lines=state.garbage_lines + garbage)


def _fold_fact(state: ViewState, fact: Fact, now: float) -> ViewState:
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
            state = _note(state, now, "info", "cancel asked; the run stops at a safe point")
            return replace(state, run=replace(state.run or RunView(run_id), cancelling=True))
        case RunEnded():
            return _run_ended(state, fact, now)
        case SessionChanged(session=session):
            return replace(state, session=session)
        case Noted(level=level, text=text):
            return _note(state, now, level, text)
        case Tick():
            return state
        case _:
            assert_never(fact)


def _note(state: ViewState, now: float, level: str, text: str) -> ViewState:
    entry = LogEntry(iso_utc(now) or "", level, text)
    return replace(state, log=(*state.log[-(LOG_LIMIT - 1) :], entry))


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
        count = f", {firewall.findings_count} forbidden rows" if firewall.findings_count else ""
        state = _note(state, now, level, f"firewall {firewall.state}{count}")
    return replace(state, watched=firewall)


def _firewall_lost(state: ViewState, reason: str, now: float) -> ViewState:
    state = _note(state, now, "warning", f"firewall watcher: {reason}")
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
    return replace(state, run=followed, live_rows=None, engine_symptom=None)


def _run_ended(state: ViewState, fact: RunEnded, now: float) -> ViewState:
    run = state.run or RunView(fact.pipeline_run_id)
    for line in fact.stderr_tail:
        state = _note(state, now, "error", line)
    if fact.before_first_event:
        code = "unknown exit code" if fact.exit_code is None else f"exit code {fact.exit_code}"
        symptom = SymptomStatus(
            id="ENGINE.wont-start",
            severity=Severity.CRITICAL,
            observed=f"the engine ended before its first event, {code}",
            origin=Origin("live", now, Freshness.FRESH, fact.stderr_tail[-1] if fact.stderr_tail else ""),
            next_step="distill doctor",
            since=now,
        )
        state = replace(state, engine_symptom=symptom)
    if run.ended:
        return state
    code = "" if fact.exit_code is None else f", exit {fact.exit_code}"
    outcome = fact.reason or f"ended without a last event{code}"
    state = _note(state, now, "error", f"{run.command or 'run'} {outcome}")
    phases = tuple(known for known in run.phases if known.state not in (PhaseState.RUN, PhaseState.NEXT))
    run = replace(
        run, ended=True, ended_at=now, ok=False, exit_code=fact.exit_code, outcome=outcome, phases=phases
    )
    return replace(state, run=run)


def _panes(state: ViewState, now: float) -> ViewState:
    firewall = firewall_now(state.watched or (state.base.firewall if state.base else FirewallStatus()), now)
    return replace(
        state,
        firewall=firewall,
        phases=_phases(state, firewall, now),
        rows=_rows(state),
        drift=_drift(state, now),
        symptoms=_symptoms(state, firewall),
    )


def firewall_now(known: FirewallStatus, now: float) -> FirewallStatus:
    """What may be said of the firewall at ``now``: CLEAR ends when its reading is too old."""
    origin = known.origin
    if known.state in (FirewallWord.CLEAR, FirewallWord.BREACH, FirewallWord.ABSENT):
        freshness = staleness.of_live(origin.as_of, now)
        if origin.freshness is Freshness.UNKNOWN:
            freshness = Freshness.UNKNOWN
        if freshness is not origin.freshness:
            origin = replace(origin, freshness=freshness)
        word: FirewallWord = known.state
        if word is FirewallWord.CLEAR and freshness is Freshness.STALE:
            word = FirewallWord.STALE
        elif word is not FirewallWord.BREACH and freshness in (Freshness.UNKNOWN, Freshness.CLOCK):
            word = FirewallWord.UNKNOWN
        return replace(known, state=word, origin=origin)
    return known


def _phases(state: ViewState, firewall: FirewallStatus, now: float) -> tuple[PhaseStatus, ...]:
    phases = {key: PhaseStatus(key, name) for key, name in PHASE_NAMES.items()}
    if state.base is not None:
        phases.update({phase.id: _aged(phase, now) for phase in state.base.phases})
    if state.run is not None:
        phases.update({phase.id: _keeping(phases.get(phase.id), phase) for phase in state.run.phases})
    if firewall.state is FirewallWord.BREACH:
        phases["P4"] = replace(
            phases["P4"],
            state=PhaseState.FAIL,
            origin=firewall.origin,
            detail=f"{firewall.findings_count:,} forbidden rows in the live SFT file",
        )
    return tuple(phases.values())


def _keeping(before: PhaseStatus | None, live: PhaseStatus) -> PhaseStatus:
    """A live phase that waits keeps the last verdict's age and duration on view."""
    if before is None or live.state is not PhaseState.NEXT:
        return live
    return replace(live, origin=before.origin, elapsed_seconds=before.elapsed_seconds)


def _aged(phase: PhaseStatus, now: float) -> PhaseStatus:
    """A verdict that has grown old since it was read. Changed inputs were noted when it was read."""
    origin = phase.origin
    if origin.as_of is None or origin.source == "live" or origin.freshness is Freshness.STALE:
        return phase
    freshness = staleness.of_verdict(origin.as_of, now, inputs_changed=False)
    if freshness is origin.freshness:
        return phase
    word = phase.state
    if word in (PhaseState.OK, PhaseState.WARN):
        word = PhaseState.STALE if freshness is Freshness.STALE else PhaseState.UNKNOWN
    return replace(phase, state=word, origin=replace(origin, freshness=freshness))


def _rows(state: ViewState) -> RowCounts:
    base = state.base.rows if state.base else RowCounts()
    live = state.live_rows
    if live is None:
        return base
    # Exports are written at a run's end, so that the last ones stand until then.
    return replace(live, exports=base.exports)


def _drift(state: ViewState, now: float) -> DriftStatus:
    if state.run is not None and state.run.drift:
        origin = Origin("live", state.run.ended_at or now, Freshness.FRESH)
        return DriftStatus(origin, None, flagged_first(state.run.drift))
    return state.base.drift if state.base else state.drift


def _symptoms(state: ViewState, firewall: FirewallStatus) -> tuple[SymptomStatus, ...]:
    known = list(state.base.symptoms) if state.base else []
    known = [symptom for symptom in known if symptom.id != "S1.P4.sft-leak"]
    if (leak := leak_symptom(firewall)) is not None:
        known.append(leak)
    if state.engine_symptom is not None:
        known.append(state.engine_symptom)
    return worst_first(known)


def worst_first(symptoms: list[SymptomStatus]) -> tuple[SymptomStatus, ...]:
    """Critical first; within one severity the order in which they were found."""
    return tuple(sorted(symptoms, key=lambda symptom: SEVERITY_ORDER[symptom.severity]))


def leak_symptom(firewall: FirewallStatus) -> SymptomStatus | None:
    """S1.P4.sft-leak, when the firewall says BREACH."""
    if firewall.state is not FirewallWord.BREACH:
        return None
    rows = "row" if firewall.findings_count == 1 else "rows"
    return SymptomStatus(
        id="S1.P4.sft-leak",
        severity=Severity.CRITICAL,
        observed=f"{firewall.findings_count:,} forbidden {rows} in the SFT file",
        origin=firewall.origin,
        next_step="distill firewall",
        since=firewall.since,
    )
