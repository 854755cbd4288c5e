"""PURE: what may still be said of a workspace that does not answer any more.

What was read before stays on view with its age, and none of it as a present fact: a pass becomes
unknown, with the reason. A failure stays one, since nothing says that it is mended.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.contracts.status import FirewallWord, Freshness, LockStatus, Origin, PhaseState

if TYPE_CHECKING:
    from console.state.view_state import ViewState

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
