"""Which outputs a run writes, and how the tasks are put on the executor."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace

from pipeline.contracts import paths
from pipeline.engine.emit import (
    EmitTask,
    Emitted,
    MappedChunk,
    export_outputs,
    is_checked_for_evaluation_sets,
    reports_near_duplicates,
)
from pipeline.engine.emitters import emit
from pipeline.engine.mapping import Mapped, result_of, submit
from pipeline.engine.reduce import Decisions
from pipeline.engine.run_session import Session
from pipeline.engine.run_state import RunState
from pipeline.engine.staged_exports import StagedScan, start_scan
from pipeline.engine.work_context import WorkContext

_SCANNED = frozenset(("sft", "evidence", "scored"))


def emit_tasks(
    session: Session,
    context: WorkContext,
    state: RunState,
    mapped: Mapped,
    decisions: Decisions,
    stages: Sequence[str],
) -> list[EmitTask]:
    """One task an output; first those whose files the firewall reads."""
    standing = state.standing_outputs(session.workspace)
    evidence_chunks = tuple(chunk for chunk in mapped.chunks if chunk.role == "source")
    # The pairs are for the preference task alone; the other tasks travel lighter without.
    light = Decisions(
        duplicate_lines=decisions.duplicate_lines,
        conflicting=decisions.conflicting,
        overlapping=decisions.overlapping,
    )
    with_rates = replace(light, pass_rates=decisions.pass_rates)

    def task(
        kind: str, outputs: tuple[str, ...], chunks: tuple[MappedChunk, ...], with_pairs: Decisions
    ) -> EmitTask:
        return EmitTask(
            kind=kind,
            workspace=str(session.workspace),
            staging=str(session.staging),
            scratch=str(session.scratch),
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
    reported = reports_near_duplicates(session.workspace, context.settings)
    if "export" in stages:
        tasks.append(task("sft", export_outputs("sft", reported), evidence_chunks, with_rates))
    for name, chunks in by_stream.items():
        if "materialize" in stages:
            tasks.append(task("evidence", (str(paths.evidence_file(name)),), tuple(chunks), light))
        if "score" in stages:
            tasks.append(task("scored", (str(paths.scored_file(name)),), tuple(chunks), light))
    if "export" in stages:
        tasks.append(task("rag", export_outputs("rag", reported), evidence_chunks, light))
        pair_outputs = export_outputs("preference", reported)
        tasks.append(task("preference", pair_outputs, evidence_chunks, decisions))
        if is_checked_for_evaluation_sets(session.workspace, context.settings):
            tasks.append(task("decontamination", (str(paths.DECONTAMINATION),), (), decisions))
    if "materialize" in stages:
        tasks.append(task("skips", (str(paths.DISTILLATION_SKIPS),), tuple(mapped.chunks), light))
    return tasks


def emit_all(
    session: Session, context: WorkContext, executor: Executor, tasks: Sequence[EmitTask]
) -> tuple[list[Emitted], StagedScan | None]:
    """Carry the tasks out side by side; results in the order of the tasks, and the scan under way.

    The firewall starts as soon as the files that it reads are staged, beside the tasks that are left.
    """
    waiting: list[Future[Emitted]] = []
    for task in tasks:
        session.check_stop()
        waiting.append(submit(session, executor, emit, task, context.settings.export))
    emitted: list[Emitted] = []
    scan: StagedScan | None = None
    scanned = _scanned(tasks)
    try:
        for number, future in enumerate(waiting):
            emitted.append(result_of(session, future))
            if number + 1 == scanned:
                scan = start_scan(session, emitted)
    except BaseException:
        if scan is not None:
            scan.abandon()
        raise
    return emitted, scan


def _scanned(tasks: Sequence[EmitTask]) -> int:
    """How many of the tasks, from the first, write what the firewall reads; 0 without an SFT task."""
    kinds = [task.kind for task in tasks]
    return sum(kind in _SCANNED for kind in kinds) if "sft" in kinds else 0
