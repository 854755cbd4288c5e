"""PURE: the stages of a followed run and the phases they belong to.

A phase may have several stages at work, in one pass over the rows or beside each other: they are
one bar, which ends with the last of them.
"""

from __future__ import annotations

from dataclasses import replace

from console.state.live_counts import sum_of_progress
from console.state.view_state import RunView, StageAtWork
from pipeline.contracts.status import PHASE_NAMES, Freshness, Origin, PhaseState, PhaseStatus, Progress

PHASE_OF_STAGE = {
    "recon": "P0",
    "schemas": "P1",
    "materialize": "P2",
    "score": "P3",
    "export": "P4",
    "receipts": "P5",
    "acceptance": "P6",
    "replay": "P7",
    "audit": "P8",
    "audit-full": "P8",
    "release": "P9",
    "release-freeze": "P9",
}
MOST_STAGES = 40  # more than any engine starts at once: a damaged stream must not eat memory


def phase_of_stage(stage: str) -> str | None:
    """The phase in which a stage belongs; a stage may also be named by its phase (``P2``)."""
    if stage in PHASE_NAMES:
        return stage
    return PHASE_OF_STAGE.get(stage) or next(
        (phase for name, phase in PHASE_OF_STAGE.items() if stage.startswith(f"{name}-")), None
    )


def phase_status(phase: str, phase_state: PhaseState, at: float, **known: object) -> PhaseStatus:
    """A phase as the stream tells it ``at`` a time; ``known`` are further fields of the status."""
    base = PhaseStatus(phase, PHASE_NAMES[phase], phase_state, Origin("live", at, Freshness.FRESH))
    return replace(base, **known)  # type: ignore[arg-type]  # field names are checked by replace


def with_phase(run: RunView, phase: PhaseStatus) -> tuple[PhaseStatus, ...]:
    return (*(known for known in run.phases if known.id != phase.id), phase)


def with_stage(run: RunView, stage: StageAtWork, at: float) -> RunView:
    """``run`` with news of one stage, which stands last; its phase has all that work in it."""
    others = [known for known in run.at_work if known.stage != stage.stage]
    run = replace(run, at_work=(*others[-MOST_STAGES:], stage))
    phase = phase_of_stage(stage.stage)
    if phase is None:
        return run
    before = next((known for known in run.phases if known.id == phase), None)
    word = PhaseState.FAIL if before is not None and before.state is PhaseState.FAIL else PhaseState.RUN
    return replace(
        run, phases=with_phase(run, phase_status(phase, word, at, progress=progress_in(run, phase)))
    )


def progress_in(run: RunView, phase: str) -> Progress | None:
    """How far the stages of a phase that are at work are together; None when none is."""
    together = [stage.progress for stage in run.at_work if phase_of_stage(stage.stage) == phase]
    return sum_of_progress(together) if together else None
