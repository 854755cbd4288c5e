"""``run-all``: sources to exports in one pass over the data, committed all or nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.contracts import events
from pipeline.engine import run_state
from pipeline.engine.allocator import give_back
from pipeline.engine.commit_points import reached
from pipeline.engine.emit_plan import emit_all, emit_tasks
from pipeline.engine.executors import for_outputs, open_executor
from pipeline.engine.finish import Finished, finish
from pipeline.engine.lost_fields import warn_of_losses
from pipeline.engine.mapping import CacheEntryGoneError, Mapped, map_sources
from pipeline.engine.noted import warn_of_markup
from pipeline.engine.receipts import STAGES, Timing
from pipeline.engine.reduce import Decisions, Reducer, pair_options
from pipeline.engine.run_session import Request, Session, run_session
from pipeline.engine.run_state import RunState
from pipeline.engine.source_plan import plan_sources
from pipeline.engine.source_troubles import SourceLostError, SourceTroubles
from pipeline.engine.source_warnings import warn_of_sources
from pipeline.engine.stage_facts import stage_facts
from pipeline.engine.staged_exports import check_exports
from pipeline.engine.standing_export import StandingExport, standing_export
from pipeline.engine.unchanged import nothing_changed, repeat_last_run, sources_fingerprint
from pipeline.engine.unjudged import warn_of_unjudged
from pipeline.engine.work_context import WorkContext, provide
from pipeline.evaluation.sets import EvaluationIndex
from pipeline.settings.model import Settings


@dataclass(frozen=True)
class RunOptions:
    """How a run divides its work and what it may do; nothing here changes a row."""

    workers: int
    chunk_bytes: int
    executor: str = "processes"
    use_cache: bool = True
    allow_empty: bool = False
    allow_shrink: bool = False


def run_all(
    workspace: Path,
    settings: Settings,
    request: Request,
    options: RunOptions,
    *,
    stages: Sequence[str] = STAGES,
    only_stream: str | None = None,
) -> Finished:
    """Run the stages from the sources. ``stages`` is all of them, or P2 alone.

    With ``only_stream`` the other streams stay as the last run left them.

    Raises OperatorError or InterruptedRunError; the last-good outputs are then in place.
    """
    context = WorkContext(workspace, settings)
    with contextlib.ExitStack() as frame:
        session = frame.enter_context(
            run_session(
                workspace,
                request,
                stages=stages,
                settings_digest=context.settings_digest,
                workers=options.workers,
                chunk_bytes=options.chunk_bytes,
            )
        )
        standing = frame.enter_context(standing_export(session, settings)) if "export" in stages else None
        state = run_state.load(workspace) if options.use_cache else RunState()
        fingerprint = sources_fingerprint(context)
        if tuple(stages) == STAGES and nothing_changed(workspace, state, fingerprint) and _is_sound(standing):
            repeated = repeat_last_run(session, state)
            if repeated is not None:
                return repeated
        run = provide(context, session.pipeline_run_id)
        with open_executor(
            options.executor, options.workers, session.lock.forget, run, session.interruptible
        ) as executor:
            outcome = None
            troubles = SourceTroubles()
            looked_again = False
            while outcome is None:
                try:
                    outcome = _map(session, context, state, executor, options, stages, only_stream, troubles)
                except CacheEntryGoneError:
                    if looked_again:
                        raise
                    looked_again = True
                    session.warn("the chunk cache is damaged; every chunk is looked at again")
                    state = RunState()
                except SourceLostError as lost:
                    troubles.lose(lost)
            warn_of_sources(session, troubles, outcome.mapped.sources, state.sources)
            outcome.lost = warn_of_losses(session, settings, outcome.reducer)
            if "score" in stages:
                warn_of_unjudged(session, settings, outcome.reducer)
            writers = for_outputs(executor, session.interruptible)
            return _emit_and_finish(
                session, context, state, writers, options, stages, fingerprint, outcome, standing
            )


def _is_sound(standing: StandingExport | None) -> bool:
    """Whether what stands may go on standing: it is CLEAR, or there is nothing."""
    if standing is None:
        return True
    standing.look()
    return not standing.is_in_doubt


@dataclass
class _Outcome:
    """What mapping and reduce left."""

    mapped: Mapped
    reducer: Reducer
    decisions: Decisions
    timing: Timing
    lost: dict[str, dict[str, int]] = field(default_factory=dict)


def _map(
    session: Session,
    context: WorkContext,
    state: RunState,
    executor: Executor,
    options: RunOptions,
    stages: Sequence[str],
    only_stream: str | None,
    troubles: SourceTroubles,
) -> _Outcome:
    timing = Timing()
    # P2 alone must not need the scorer or an exporter, so its chunks go no further than evidence.
    depth = "all" if "score" in stages else "evidence"
    with session.interruptible():
        sources = list(plan_sources(context, state, depth, troubles, only_stream))
    for stage in stages[:2]:
        session.events.emit(
            events.StageStarted, stage=stage, bytes_total=sum(source.size for source in sources)
        )
    reducer = Reducer(
        pair_options(context.settings.export),
        context.evaluation if depth == "all" else EvaluationIndex(),
        session.scratch,
    )
    mapped = map_sources(
        session,
        context,
        sources,
        executor,
        reducer,
        window=2 * options.workers if options.workers > 1 else 1,
        chunk_bytes=options.chunk_bytes,
        depth=depth,
        use_cache=options.use_cache,
    )
    reached("all-chunks-mapped")
    with session.interruptible():
        decisions = reducer.finish()
    give_back()
    if "export" in stages:
        warn_of_markup(session, reducer)
    timing.end()
    return _Outcome(mapped, reducer, decisions, timing)


def _emit_and_finish(
    session: Session,
    context: WorkContext,
    state: RunState,
    executor: Executor,
    options: RunOptions,
    stages: Sequence[str],
    fingerprint: str,
    outcome: _Outcome,
    standing: StandingExport | None,
) -> Finished:
    timing = Timing()
    if "export" in stages:
        session.events.emit(events.StageStarted, stage="export", rows_total=None)
    tasks = emit_tasks(session, context, state, outcome.mapped, outcome.decisions, stages)
    emitted, scan = emit_all(session, context, executor, tasks)
    reached("outputs-staged")
    firewall = None
    if standing is not None:
        standing.look()
        firewall = check_exports(
            session,
            emitted,
            allow_empty=options.allow_empty,
            max_shrink=None if options.allow_shrink else context.settings.export.max_shrink,
            scan=scan,
        )
    timing.end()
    facts = stage_facts(
        outcome.mapped, outcome.reducer, emitted, stages, outcome.timing, timing, firewall, outcome.lost
    )
    return finish(
        session,
        context,
        facts,
        emitted,
        fingerprint=fingerprint if tuple(stages) == STAGES else "",
        sources=outcome.mapped.sources,
        chunks_total=len(outcome.mapped.chunks),
        chunks_processed=outcome.mapped.processed,
        standing=standing,
    )
