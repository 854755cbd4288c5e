"""PURE: the stages of a followed run, the phases they belong to, and what one progress event tells.

A phase may have several stages at work, in one pass over the rows or beside each other: they are
one bar, which ends with the last of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from console.state.view_state import RunView, StageAtWork
from pipeline.contracts.categories import CATEGORIES
from pipeline.contracts.events import StageProgress
from pipeline.contracts.row_counts import StreamCounts
from pipeline.contracts.status import (
    PHASE_NAMES,
    Freshness,
    Origin,
    PhaseState,
    PhaseStatus,
    Progress,
    RowCounts,
)

_COUNT_NAMES = frozenset(field.name for field in fields(StreamCounts)) - {"stream"}
_STREAM_LIMIT = 1000  # more streams than any screen shows: a damaged stream must not eat memory


def progress_of(event: StageProgress, elapsed: float) -> Progress:
    """How far a stage is after ``elapsed`` seconds, 0 where nothing is timed; it is taken to go on so."""
    fraction = None
    for done, total in ((event.bytes_done, event.bytes_total), (event.chunks_done, event.chunks_total)):
        if total:
            fraction = min(1.0, max(0.0, done / total))
            break
    left = elapsed * (1 - fraction) / fraction if fraction and elapsed else None
    return Progress(
        rows_done=event.rows_in,
        bytes_done=event.bytes_done,
        bytes_total=event.bytes_total,
        rows_per_second=event.rows_per_second,
        seconds_left=left,
        fraction=fraction,
        doing=event.stage,
    )


def sum_of_progress(parts: Sequence[Progress]) -> Progress:
    """Several stages of one phase as one bar, which is full when all of them are.

    ``parts`` has at least one. A part whose size is not known leaves that of the whole unknown.
    """
    if len(parts) == 1:
        return parts[0]
    sizes = [part.bytes_total for part in parts if part.bytes_total]
    fractions = [part.fraction for part in parts if part.fraction is not None]
    whole = len(fractions) == len(parts)
    fraction = min(fractions) if whole else None
    if whole and len(sizes) == len(parts):
        fraction = sum(part * size for part, size in zip(fractions, sizes, strict=True)) / sum(sizes)
    left = [part.seconds_left for part in parts if part.seconds_left is not None]
    rates = [part.rows_per_second for part in parts if part.rows_per_second is not None]
    return Progress(
        rows_done=sum(part.rows_done for part in parts),
        bytes_done=sum(part.bytes_done for part in parts),
        bytes_total=sum(sizes) if len(sizes) == len(parts) else None,
        rows_per_second=sum(rates) if rates else None,
        seconds_left=max(left) if len(left) == len(parts) else None,
        fraction=fraction,
        doing=" + ".join(part.doing for part in parts if part.doing),
    )


def rows_of(event: StageProgress, at: float, before: RowCounts | None) -> RowCounts | None:
    """Counts by stream from one event. Progress counts from the run's start, so it replaces."""
    if not event.by_stream and not event.categories:
        return before
    streams = tuple(_stream(name, counts) for name, counts in list(event.by_stream.items())[:_STREAM_LIMIT])
    if not streams and before is not None:
        streams = before.streams
    total = sum_of_streams(streams)
    if event.categories:
        total = replace(
            total,
            evidence=total.evidence or sum(event.categories.get(name, 0) for name in CATEGORIES),
            accepted=event.categories.get("accepted", 0),
            partially_accepted=event.categories.get("partially_accepted", 0),
            needs_human_review=event.categories.get("needs_human_review", 0),
            rejected=event.categories.get("rejected", 0),
        )
    total = replace(total, skipped=event.skipped if total.skipped is None else total.skipped)
    return RowCounts(Origin("live", at, Freshness.FRESH), total, streams, live=True)


def _stream(name: str, counts: Mapping[str, int]) -> StreamCounts:
    known = {key: value for key, value in counts.items() if key in _COUNT_NAMES}
    if "evidence" not in known and any(category in known for category in CATEGORIES):
        known["evidence"] = sum(known.get(category, 0) for category in CATEGORIES)
    return StreamCounts(name, **known)


def sum_of_streams(streams: tuple[StreamCounts, ...]) -> StreamCounts:
    """The total of each count; None where no stream recorded it."""
    sums: dict[str, int] = {}
    for name in _COUNT_NAMES:
        recorded = [value for stream in streams if (value := getattr(stream, name)) is not None]
        if recorded:
            sums[name] = sum(recorded)
    return StreamCounts("total", **sums)


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
