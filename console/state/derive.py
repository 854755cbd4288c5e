"""PURE: how facts change the view state, and how its panes follow from what is known.

Three sources overlap: what was last read from disk (``base``), what the followed run says, and
what the firewall's watcher says. ``advance`` stores the new item, then ``_panes`` derives every
pane again and marks those that differ. One place decides which source wins.

What was read of a workspace that does not answer any more stays on view with its age, and none of it as a
present fact: a pass becomes unknown, with the reason. A failure stays one: nothing says that it is mended.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from console.state import fact_fold, symptoms_now
from console.state.detectors import definitions
from console.state.drift_lines import flagged_first
from console.state.view_state import Fact, Pane, TailSlice, ViewState
from pipeline.contracts.status import (
    PHASE_NAMES,
    Answer,
    DriftStatus,
    FirewallStatus,
    FirewallWord,
    Freshness,
    LockStatus,
    Origin,
    PhaseState,
    PhaseStatus,
    RowCounts,
)
from pipeline.reading import staleness
from pipeline.reading.symptom_answers import tally

if TYPE_CHECKING:
    from console.state.view_state import ViewState
    from pipeline.contracts.events import Event


_FIELDS_OF_PANE = {
    Pane.BAND: ("symptoms", "tally", "runbook", "trouble"),
    Pane.FIREWALL: ("firewall",),
    Pane.ROWS: ("rows",),
    Pane.PHASES: ("phases", "run"),
    Pane.DRIFT: ("drift",),
    Pane.RUNS: ("runs", "run"),
    Pane.LOG: ("log",),
    Pane.STATUS_LINE: ("session", "lock", "git", "engine", "notes", "trouble", "lost_events", "name"),
}


def advance(state: ViewState, item: Event | TailSlice | Fact, now: float) -> ViewState:
    """``state`` after ``item``. Never raises, whatever an engine wrote."""
    if isinstance(item, Fact):
        after = _panes(fact_fold.fold_fact(state, item, now), now)
    else:
        after = _panes(_fold_stream(state, item, now), now)
    after = while_unreadable(after)
    changed = frozenset(
        pane
        for pane, names in _FIELDS_OF_PANE.items()
        if any(getattr(after, name) != getattr(state, name) for name in names)
    )
    return replace(after, dirty=state.dirty | changed)


def _fold_stream(state: ViewState, item: Event | TailSlice, now: float) -> ViewState:
    from console.state import event_fold  # 0.1 s of model building, not needed for the first paint

    if not isinstance(item, TailSlice):
        last = state.last_seq
        lost = max(0, item.seq - last - 1) if last and item.type != "run.started" else 0
        return event_fold.fold_events(_count_damage(state, lost, 0, now), (item,), now)
    state = _count_damage(state, item.lost, item.garbage, now)
    return event_fold.fold_events(state, item.events, now)


def _count_damage(state: ViewState, lost: int, garbage: int, now: float) -> ViewState:
    if not (lost or garbage):
        return state
    text = " and ".join(
        f"{count} {word}" for count, word in ((lost, "events lost"), (garbage, "lines unreadable")) if count
    )
    state = fact_fold.noted(
        state, now, "warning", f"event stream: {text}; counts catch up with the next report"
    )
    return replace(state, lost_events=state.lost_events + lost, garbage_lines=state.garbage_lines + garbage)


def _panes(state: ViewState, now: float) -> ViewState:
    firewall = firewall_now(state.watched or (state.base.firewall if state.base else FirewallStatus()), now)
    answers = _answers(state, firewall, now)
    symptoms = symptoms_now.showing(answers, now, state.runbook)
    firewall = symptoms_now.first_seen(firewall, symptoms)
    return replace(
        state,
        firewall=firewall,
        phases=_phases(state, firewall, now),
        rows=_rows(state),
        drift=_drift(state, now),
        symptoms=symptoms,
        answers=answers,
        # Before the first reading nothing shows it, and the definitions are a folder each to import.
        tally=tally(definitions(), answers, now) if state.was_read else state.tally,
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
            detail=f"{firewall.found} in the live SFT file",
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
    return replace(live, exports=base.exports, unread_logs=base.unread_logs)


def _drift(state: ViewState, now: float) -> DriftStatus:
    if state.run is not None and state.run.drift:
        origin = Origin("live", state.run.ended_at or now, Freshness.FRESH)
        return DriftStatus(origin, None, flagged_first(state.run.drift))
    return state.base.drift if state.base else state.drift


def _answers(state: ViewState, firewall: FirewallStatus, now: float) -> tuple[Answer, ...]:
    """What files and kept looks tell, what this console's own look heard, and the firewall's word."""
    answers = symptoms_now.with_looks(
        state.base.answers if state.base else (), (each.answer for each in state.runbook.symptoms), now
    )
    if state.engine_answer is not None:
        answers = symptoms_now.with_looks(answers, (state.engine_answer,), now)
    answers = symptoms_now.with_firewall(answers, firewall, now)
    return symptoms_now.keeping_first(answers, state.answers)


# What goes on telling us itself, by its own events, is no reading of the disk.
_TELL_THEMSELVES = (PhaseState.FAIL, PhaseState.RUN, PhaseState.NEXT)


def while_unreadable(state: ViewState) -> ViewState:
    """``state`` as it is while ``trouble`` says why the disk does not answer.

    The ten phases do not repeat the reason, which stands at the head of the screen.
    """
    if not state.trouble:
        return state
    firewall = state.firewall
    if firewall.state is not FirewallWord.BREACH:
        detail = state.trouble
        origin = _unknown(firewall.origin, detail)
        firewall = replace(firewall, state=FirewallWord.UNKNOWN, origin=origin, detail=detail)
    return replace(
        state,
        firewall=firewall,
        phases=tuple(
            phase
            if phase.state in _TELL_THEMSELVES
            else replace(phase, state=PhaseState.UNKNOWN, origin=_unknown(phase.origin, ""), detail="")
            for phase in state.phases
        ),
        rows=state.rows
        if state.rows.live
        else replace(state.rows, origin=_unknown(state.rows.origin, state.trouble)),
        drift=replace(state.drift, origin=_unknown(state.drift.origin, state.trouble), note=state.trouble),
        lock=LockStatus(origin=_unknown(state.lock.origin, state.trouble)),
    )


def _unknown(origin: Origin, why: str) -> Origin:
    return replace(origin, freshness=Freshness.UNKNOWN, why=why)
