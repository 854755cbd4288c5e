"""A run in which nothing changed: no chunk is looked at, the last receipts are repeated.

It still checks that every output is there and whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.engine import run_state
from pipeline.engine.clock import monotonic, now_iso
from pipeline.engine.code_digest import engine_digest
from pipeline.engine.finish import Finished, announce, hash_of_receipts
from pipeline.engine.last_run import receipts_of
from pipeline.engine.noted import warn_again
from pipeline.engine.receipts import STAGES, carried, encode, receipt_path, run_summary
from pipeline.engine.run_session import Session
from pipeline.engine.run_state import FileStamp, RunState
from pipeline.engine.work_context import WorkContext
from pipeline.platform import confined
from pipeline.platform.lenient_json import object_in
from pipeline.settings.model import EvaluationSettings, StreamSettings
from pipeline.streams.files import list_sources


def sources_fingerprint(context: WorkContext) -> str:
    """One digest of settings, engine, and every source file's name, size and times."""
    parts = [context.settings_digest, engine_digest(), context.render_digest, context.tokens_digest]
    read: list[StreamSettings | EvaluationSettings] = [
        *context.settings.streams,
        *context.settings.evaluations,
    ]
    for stream in read:
        listing = list_sources(context.workspace, context.settings, stream)
        parts += [f"{stream.name}\n{name}\n{why}" for name, why in listing.refused.items()]
        for file in listing.files:
            try:
                stamp = FileStamp.of(file.path)
            except OSError:
                continue  # planning the sources will name it
            parts.append(f"{stream.name}\n{file.relative}\n{stamp}")
    return run_state.fingerprint(*parts)


def nothing_changed(workspace: Path, state: RunState, fingerprint: str) -> bool:
    """Whether sources, settings and engine are the last run's, and its outputs are whole."""
    return state.fingerprint == fingerprint and all(
        state.is_whole(workspace, relative) for relative in state.outputs
    )


def repeat_last_run(session: Session, state: RunState) -> Finished | None:
    """Commit the last run's receipts as this run's; None when they cannot be read."""
    workspace = session.workspace
    summary = object_in(workspace / paths.summary_file(state.pipeline_run_id))
    if summary is None:
        return None
    receipts: dict[str, dict[str, Any]] = receipts_of(workspace, summary)
    if tuple(receipts) != STAGES:
        return None
    digest = hash_of_receipts(receipts, session.facts.settings_digest)
    if digest != summary.get("run_hash"):
        return None
    session.events.log("info", "nothing changed since the last run; its outputs are there and whole")
    warn_again(session, summary)
    again = {stage: carried(receipt, session.facts) for stage, receipt in receipts.items()}
    repeated = run_summary(
        session.facts,
        again.values(),
        finished_at=now_iso(),
        elapsed_seconds=monotonic() - session.started,
        run_hash=digest,
        exit_code=0,
        chunks_total=summary["counts"]["chunks_total"],
        chunks_processed=0,
    )
    for stage, receipt in again.items():
        confined.write_file(workspace, receipt_path(session.pipeline_run_id, stage), encode(receipt))
    confined.write_file(workspace, paths.summary_file(session.pipeline_run_id), encode(repeated))
    state.pipeline_run_id = session.pipeline_run_id
    run_state.save(workspace, state)
    announce(session, (), repeated)
    return Finished(session.pipeline_run_id, digest, repeated)
