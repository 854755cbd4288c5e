"""The end of a run that succeeded: receipts, summary, run_hash, commit, what to remember."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.contracts import events, paths
from pipeline.contracts.faults import ExitCode, worst
from pipeline.engine import commit, run_state
from pipeline.engine.clock import monotonic, now_iso
from pipeline.engine.commit_points import reached
from pipeline.engine.emit import Emitted
from pipeline.engine.export_manifest import (
    manifest_of_receipt,
    settings_after,
    splits_after,
    versions_after,
)
from pipeline.engine.intent import Rename
from pipeline.engine.last_run import verified_receipts
from pipeline.engine.ledger import keep_ledgers
from pipeline.engine.readme_heads import missing_readmes
from pipeline.engine.receipts import (
    STAGES,
    StageFacts,
    carried,
    encode,
    receipt_path,
    run_counts,
    run_summary,
    stage_receipt,
    stream_counts,
)
from pipeline.engine.run_hash import run_hash
from pipeline.engine.run_session import Session
from pipeline.engine.run_state import FileStamp
from pipeline.engine.source_plan import PlannedSource, state_key
from pipeline.engine.standing_export import Rescored, StandingExport
from pipeline.engine.work_context import WorkContext
from pipeline.platform import confined


@dataclass(frozen=True)
class Finished:
    """A committed run. Its exit code is not 0 when what stood before it was in breach, or not judged."""

    pipeline_run_id: str
    run_hash: str
    summary: Mapping[str, Any]

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode(self.summary["exit_code"])


def hash_of_receipts(receipts: Mapping[str, Mapping[str, Any]], settings_digest: str) -> str:
    """The run_hash that a set of stage receipts amounts to."""
    streams = stream_counts(receipts)
    outputs = {
        output["path"]: (output["rows"], output["rows_digest"] or "")
        for receipt in receipts.values()
        for output in receipt["outputs"]
    }
    return run_hash(outputs, run_counts(receipts, streams, 0, 0), streams, settings_digest)


def finish(
    session: Session,
    context: WorkContext,
    facts: Sequence[StageFacts],
    emitted: Sequence[Emitted],
    *,
    fingerprint: str = "",
    sources: Sequence[PlannedSource] = (),
    chunks_total: int = 0,
    chunks_processed: int = 0,
    standing: StandingExport | None = None,
) -> Finished:
    """Commit what was staged and say so. Raises StorageError.

    ``standing`` is the export that this run replaces; a run that scores judges it by the new verdicts.
    """
    receipts = {fact.stage: stage_receipt(session.facts, fact) for fact in facts}
    for stage, receipt in verified_receipts(session.workspace, skip=tuple(receipts)).items():
        receipts[stage] = carried(receipt, session.facts)
    receipts = {stage: receipts[stage] for stage in STAGES if stage in receipts}
    digest = hash_of_receipts(receipts, session.facts.settings_digest)
    scores_alone = [fact.stage for fact in facts] == ["score"]
    rescored = Rescored(session, context.settings, emitted) if scores_alone else None
    aside = standing.quarantine(emitted) if standing is not None else []
    codes = [found.exit_code for found in (rescored, standing) if found is not None]
    summary = run_summary(
        session.facts,
        receipts.values(),
        finished_at=now_iso(),
        elapsed_seconds=monotonic() - session.started,
        run_hash=digest,
        exit_code=worst(codes),
        chunks_total=chunks_total,
        chunks_processed=chunks_processed,
    )
    session.check_stop()
    renames = aside + [
        Rename(str(Path(output.staged).relative_to(session.workspace)), output.relative, output.sha256)
        for result in emitted
        for output in result.outputs
        if output.staged is not None
    ]
    written = frozenset(result.kind for result in emitted)
    voided = rescored.voided_manifest() if rescored else None
    divided = context.settings.export.model_dump(include={"split_by", "validation_share"})
    renames += _stage_reports(session, receipts, summary, written, voided, divided)
    reached("receipts-staged")
    intent = commit.commit(session.workspace, session.pipeline_run_id, renames)
    _remember(session, context, emitted, fingerprint, sources)
    reached("state-written")
    commit.close_intent(session.workspace, intent)
    if rescored is not None:
        rescored.committed()
    if standing is not None and any(fact.firewall and fact.firewall["state"] == "CLEAR" for fact in facts):
        standing.remember_clear(emitted, renames)
    announce(session, facts, summary)
    return Finished(session.pipeline_run_id, digest, summary)


def _stage_reports(
    session: Session,
    receipts: Mapping[str, Mapping[str, Any]],
    summary: Mapping[str, Any],
    written: frozenset[str],
    voided: bytes | None,
    divided: Mapping[str, Any],
) -> list[Rename]:
    """Receipts, summary, and last of all the manifest: of exports that this run wrote, or voided."""
    files = {
        receipt_path(session.pipeline_run_id, stage): encode(receipt) for stage, receipt in receipts.items()
    }
    files[str(paths.summary_file(session.pipeline_run_id))] = encode(summary)
    exported = receipts.get("export")
    if exported is not None and exported["carried_from"] is None:
        files |= missing_readmes(session.workspace, written)
        versions = versions_after(session.workspace, written)
        settings = settings_after(session.workspace, written, summary["settings_digest"])
        splits = splits_after(session.workspace, written, divided)
        manifest = manifest_of_receipt(exported, summary["run_hash"], versions, settings, splits)
        files[str(paths.EXPORT_MANIFEST)] = encode(manifest)
    elif voided is not None:
        files[str(paths.EXPORT_MANIFEST)] = voided
    renames = []
    for relative, data in files.items():
        staged = session.staging / relative
        place = str(staged.relative_to(session.workspace))
        confined.write_file(session.workspace, place, data)
        renames.append(Rename(place, relative, hashlib.sha256(data).hexdigest()))
    return renames


def _remember(
    session: Session,
    context: WorkContext,
    emitted: Sequence[Emitted],
    fingerprint: str,
    sources: Sequence[PlannedSource],
) -> None:
    """What the next run starts from. A disk that refuses costs it time, never data."""
    state = run_state.load(session.workspace)
    state.pipeline_run_id = session.pipeline_run_id
    state.fingerprint = fingerprint
    if sources:
        state.sources = {
            state_key(source.stream, source.file.relative): source.remembered() for source in sources
        }
    try:
        for result in emitted:
            for output in result.outputs:
                stamp = FileStamp.of(session.workspace / output.relative)
                state.outputs[output.relative] = (replace(output, staged=None), stamp)
    except OSError:
        run_state.forget(session.workspace)
    else:
        run_state.save(session.workspace, state)
        written = (output for result in emitted for output in result.outputs)
        keep_ledgers(session.workspace, session.staging, written)
    if fingerprint:
        context.cache.keep_only({key for source in sources for key in source.keys})


def announce(session: Session, facts: Sequence[StageFacts], summary: Mapping[str, Any]) -> None:
    """The last events of a run that succeeded."""
    for fact in facts:
        counts = dict(fact.counts)
        session.events.emit(
            events.StageFinished,
            stage=fact.stage,
            ok=fact.ok,
            elapsed_seconds=round(fact.timing.elapsed_seconds, 3),
            rows_in=counts.get("lines", counts.get("rows_in", summary["counts"]["scored"])),
            rows_out=counts.get("evidence", counts.get("rows_out", counts.get("sft", 0))),
            skipped=counts.get("skipped", 0),
            quarantined=sum(count for name, count in counts.items() if name.startswith("quarantined_")),
            counts=counts,
            receipt=receipt_path(session.pipeline_run_id, fact.stage),
        )
    session.events.emit(
        events.RunFinished,
        ok=True,
        exit_code=summary["exit_code"],
        run_hash=summary["run_hash"],
        summary_sha256=hashlib.sha256(encode(summary)).hexdigest(),
        elapsed_seconds=summary["elapsed_seconds"],
    )
