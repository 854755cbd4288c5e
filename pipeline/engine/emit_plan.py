"""Which outputs a run writes, and how the tasks are put on the executor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future

from pipeline.contracts import paths
from pipeline.engine.emit import EmitTask, Emitted, MappedChunk, emit, export_outputs
from pipeline.engine.mapping import Mapped, result_of, submit
from pipeline.engine.reduce import Decisions
from pipeline.engine.run_session import Session
from pipeline.engine.run_state import RunState
from pipeline.engine.work_context import WorkContext


def emit_tasks(
    session: Session,
    context: WorkContext,
    state: RunState,
    mapped: Mapped,
    decisions: Decisions,
    stages: Sequence[str],
) -> list[EmitTask]:
    """One task an output, the exports first: they take longest."""
    standing = state.standing_outputs(session.workspace)
    evidence_chunks = tuple(chunk for chunk in mapped.chunks if chunk.role == "source")
    # The pairs are for the preference task alone; the other tasks travel lighter without.
    light = Decisions(duplicate_lines=decisions.duplicate_lines, conflicting=decisions.conflicting)

    def task(
        kind: str, outputs: tuple[str, ...], chunks: tuple[MappedChunk, ...], with_pairs: Decisions
    ) -> EmitTask:
        return EmitTask(
            kind=kind,
            workspace=str(session.workspace),
            staging=str(session.staging),
            recorded_at=session.facts.recorded_at,
            outputs=outputs,
            chunks=chunks,
            decisions=with_pairs,
            previous={relative: standing[relative] for relative in outputs if relative in standing},
        )

    tasks = []
    by_stream: dict[str, list[MappedChunk]] = {
        stream.name: [] for stream in context.settings.streams if stream.role == "source"
    }
    for chunk in evidence_chunks:
        by_stream[chunk.stream].append(chunk)
    if "export" in stages:
        tasks.append(task("sft", export_outputs("sft"), evidence_chunks, light))
    for name, chunks in by_stream.items():
        if "materialize" in stages:
            tasks.append(task("evidence", (str(paths.evidence_file(name)),), tuple(chunks), light))
        if "score" in stages:
            tasks.append(task("scored", (str(paths.scored_file(name)),), tuple(chunks), light))
    if "export" in stages:
        tasks.append(task("rag", export_outputs("rag"), evidence_chunks, light))
        tasks.append(task("preference", export_outputs("preference"), evidence_chunks, decisions))
    if "materialize" in stages:
        tasks.append(task("skips", (str(paths.DISTILLATION_SKIPS),), tuple(mapped.chunks), light))
    return tasks


def emit_all(
    session: Session, context: WorkContext, executor: Executor, tasks: Sequence[EmitTask]
) -> list[Emitted]:
    """Carry the tasks out side by side; results in the order of the tasks."""
    waiting: list[Callable[[], Emitted]] = []
    for task in tasks:
        session.check_stop()
        future: Future[Emitted]
        if task.kind == "preference":
            # Not at the top: P2 alone must not need an exporter.
            from pipeline.engine.emit_preference import emit_preference

            future = submit(session, executor, emit_preference, task, context.settings.export)
        else:
            future = submit(session, executor, emit, task)
        waiting.append(_later(session, future))
    return [result() for result in waiting]


def _later(session: Session, future: Future[Emitted]) -> Callable[[], Emitted]:
    return lambda: result_of(session, future)
