"""P4 alone: export from the written evidence and verdicts. The same bytes as ``run-all`` writes.

Written evidence is cut into chunks like a source, each row is joined with its verdict, and from
there on it is the run's ordinary path: reduce, emit, scan, commit. Verdicts of one stream are
found by offset, so memory is an index of that stream's runs, not its rows.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import events, paths
from pipeline.engine import run_state
from pipeline.engine.chunk_entries import LineEntry
from pipeline.engine.chunk_index import ChunkIndex
from pipeline.engine.chunks import plan_chunks, read_range
from pipeline.engine.code_digest import engine_digest
from pipeline.engine.commit_points import reached
from pipeline.engine.emit import (
    EmitTask,
    Emitted,
    MappedChunk,
    export_outputs,
    is_checked_for_evaluation_sets,
    reports_near_duplicates,
)
from pipeline.engine.emitters import emit
from pipeline.engine.finish import Finished, finish
from pipeline.engine.last_run import verified_receipts
from pipeline.engine.noted import warn_of_markup
from pipeline.engine.receipts import StageFacts, Timing
from pipeline.engine.reduce import Decisions, Reducer, pair_options
from pipeline.engine.row_builder import RowBuilder
from pipeline.engine.run_session import Request, Session, run_session
from pipeline.engine.stage_facts import EXPORT_KINDS, export_facts
from pipeline.engine.staged_exports import check_exports
from pipeline.engine.standing_export import standing_export
from pipeline.engine.work_context import WorkContext
from pipeline.engine.written_claims import input_claims
from pipeline.engine.written_rows import as_evidence, no_rows_yet, without_stamp, written_rows
from pipeline.platform import disk
from pipeline.settings.model import Settings, StreamSettings
from pipeline.storage.digests import digest_of, sha256_of_file


def run_export(
    workspace: Path,
    settings: Settings,
    request: Request,
    kinds: Sequence[str] = EXPORT_KINDS,
    *,
    allow_empty: bool = False,
    allow_shrink: bool = False,
) -> Finished:
    """Write the exports ``kinds``; the others stay as they are. Raises OperatorError, InterruptedRunError."""
    context = WorkContext(workspace, settings)
    streams = [
        stream
        for stream in settings.streams
        if stream.role == "source" and (workspace / paths.scored_file(stream.name)).exists()
    ]
    if not streams:
        raise no_rows_yet("scored run", workspace / paths.SCORED_RUNS, "distill score")
    with contextlib.ExitStack() as frame:
        session = frame.enter_context(
            run_session(
                workspace,
                request,
                stages=("export",),
                settings_digest=context.settings_digest,
                chunk_bytes=settings.engine.chunk_bytes,
            )
        )
        replaced = [str(paths.EXPORT_FILES[kind]) for kind in kinds]
        standing = frame.enter_context(standing_export(session, settings, replaced))
        timing = Timing()
        session.events.emit(events.StageStarted, stage="export")
        chunks, reducer = _join_all(session, context, streams)
        emitted = _emit(session, settings, kinds, chunks, reducer.finish())
        reached("outputs-staged")
        standing.look()
        max_shrink = None if allow_shrink else settings.export.max_shrink
        firewall = check_exports(session, emitted, allow_empty=allow_empty, max_shrink=max_shrink)
        timing.end()
        names = [stream.name for stream in streams]
        inputs = input_claims(workspace, names, paths.evidence_file, paths.scored_file)
        facts = export_facts(emitted, inputs, timing, firewall)
        if tuple(kinds) != EXPORT_KINDS:
            written = {relative for kind in kinds for relative in export_outputs(kind)}
            previous = verified_receipts(workspace, ("materialize", "score"), written).get("export")
            if previous is not None:
                _take_over(facts, previous, kinds)
        return finish(session, context, [facts], emitted, standing=standing)


def _join_all(
    session: Session, context: WorkContext, streams: Sequence[StreamSettings]
) -> tuple[list[MappedChunk], Reducer]:
    """Every stream's evidence with its verdicts, as finished chunks that the reducer has seen."""
    chunks: list[MappedChunk] = []
    reducer = Reducer(pair_options(context.settings.export), context.evaluation, session.scratch)
    unscored = 0
    for stream in streams:
        evidence_path = context.workspace / paths.evidence_file(stream.name)
        scored_path = context.workspace / paths.scored_file(stream.name)
        verdicts = _verdict_places(scored_path)
        identity = [
            engine_digest(),
            context.settings_digest,
            stream.name,
            "export",
            context.evaluation.digests,
            context.render_digest,
            context.tokens_digest,
            context.likeness.version if context.likeness is not None else "",
            sha256_of_file(scored_path),
        ]
        descriptor = disk.open_plain(scored_path)
        try:
            size = evidence_path.stat().st_size
            for chunk in plan_chunks(evidence_path, context.settings.engine.chunk_bytes, size):
                session.check_stop()
                data = _chunk_bytes(evidence_path, chunk.start, chunk.end)
                builder = RowBuilder(
                    context.settings,
                    stream,
                    context.evaluation,
                    context.render_check,
                    context.tokens,
                    context.likeness,
                )
                entries, missing = _join(data, descriptor, scored_path, verdicts, builder)
                unscored += missing
                sections = builder.sections()
                counts = dict(builder.categories + builder.noted)
                index = ChunkIndex.made_of(
                    sections, lines_read=len(entries), lines=entries, skips=[], counts=counts
                )
                key = digest_of([*identity, chunk.start, [entry.rows[0].digests.hex() for entry in entries]])
                context.cache.store(key, index, sections)
                reducer.add(len(chunks), stream.name, "evidence", index)
                chunks.append(MappedChunk(len(chunks), stream.name, "evidence", "", key))
        finally:
            os.close(descriptor)
    warn_of_markup(session, reducer)
    if unscored:
        session.warn(f"{unscored:,} evidence rows have no verdict and were left out: distill score")
    return chunks, reducer


def _chunk_bytes(path: Path, start: int, end: int) -> bytes:
    descriptor = disk.open_plain(path)
    try:
        return read_range(descriptor, path, start, end)
    finally:
        os.close(descriptor)


def _verdict_places(path: Path) -> dict[str, tuple[int, int]]:
    """Where each run's verdict lies in the scored file: byte offset and length."""
    places: dict[str, tuple[int, int]] = {}
    previous: tuple[str, int] | None = None
    for written in written_rows(path):
        if previous is not None:
            places.setdefault(previous[0], (previous[1], written.byte_offset - previous[1]))
        previous = None
        if written.row is not None and isinstance(written.row.get("run_id"), str):
            previous = (written.row["run_id"], written.byte_offset)
    if previous is not None:
        places.setdefault(previous[0], (previous[1], path.stat().st_size - previous[1]))
    return places


def _join(
    data: bytes,
    scored_descriptor: int,
    scored_path: Path,
    verdicts: Mapping[str, tuple[int, int]],
    builder: RowBuilder,
) -> tuple[list[LineEntry], int]:
    """Entries of the evidence rows in ``data`` that have a verdict, and how many have none."""
    entries: list[LineEntry] = []
    missing = 0
    for line in data.splitlines(keepends=True):
        evidence = without_stamp(line)
        place = verdicts.get(str(evidence.get("run_id"))) if evidence is not None else None
        if evidence is None or place is None:
            missing += 1
            continue
        scored = without_stamp(read_range(scored_descriptor, scored_path, place[0], sum(place)))
        try:
            if scored is None or scored["run_id"] != evidence["run_id"]:
                raise KeyError("run_id")
            row = builder.add(as_evidence(evidence), scored)
            provenance = evidence["provenance"]
            entries.append(
                LineEntry(
                    provenance["line"],
                    provenance["byte_offset"],
                    bytes.fromhex(provenance["sig_hash"]),
                    [row],
                    provenance["source_file"],
                )
            )
        except (KeyError, TypeError, AttributeError, ValueError):
            # A row that was edited by hand until it is no evidence any more has no place in an export.
            missing += 1
    return entries, missing


def _emit(
    session: Session,
    settings: Settings,
    kinds: Sequence[str],
    chunks: Sequence[MappedChunk],
    decisions: Decisions,
) -> list[Emitted]:
    standing = run_state.load(session.workspace).standing_outputs(session.workspace)
    emitted = []
    reported = reports_near_duplicates(session.workspace, settings)
    wanted = {kind: export_outputs(kind, reported) for kind in kinds}
    if is_checked_for_evaluation_sets(session.workspace, settings):
        wanted["decontamination"] = (str(paths.DECONTAMINATION),)
    for kind, outputs in wanted.items():
        session.check_stop()
        task = EmitTask(
            kind=kind,
            workspace=str(session.workspace),
            staging=str(session.staging),
            scratch=str(session.scratch),
            recorded_at=session.facts.recorded_at,
            outputs=outputs,
            chunks=tuple(chunks),
            decisions=decisions,
            previous={relative: standing[relative] for relative in outputs if relative in standing},
        )
        emitted.append(emit(task, settings.export))
    return emitted


def _take_over(facts: StageFacts, previous: Mapping[str, Any], written: Sequence[str]) -> None:
    """What the last export receipt says of the exports that this command left alone."""
    kept = [kind for kind in EXPORT_KINDS if kind not in written]
    counts = Counter(facts.counts)
    for kind in kept:
        taken = export_outputs(kind)
        facts.outputs += [output for output in previous["outputs"] if output["path"] in taken]
        for name in (kind, f"quarantined_{kind}"):
            counts[name] = previous["counts"].get(name, 0)
    facts.counts = counts
    prefixes = tuple(f"{kind}_" for kind in kept)
    facts.reasons = {
        **facts.reasons,
        **{reason: count for reason, count in previous["reasons"].items() if reason.startswith(prefixes)},
    }
    by_stream = {name: dict(of_stream) for name, of_stream in facts.by_stream.items()}
    for name, of_stream in previous["by_stream"].items():
        target = by_stream.setdefault(name, {})
        target.update({key: count for key, count in of_stream.items() if key.startswith(prefixes)})
    facts.by_stream = by_stream
    if facts.firewall is None:
        facts.firewall = previous["firewall"]
