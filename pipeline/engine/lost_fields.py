"""Fields that the rows of a stream had at the last run, and that none has now: a name changed in the log."""

from __future__ import annotations

from pathlib import Path

from pipeline.contracts.evidence_fields import lost_fields, rows_by_field, usual_fields, words_of_loss
from pipeline.engine.last_run import committed_summaries, receipts_of
from pipeline.engine.reduce import Reducer
from pipeline.engine.run_session import Session
from pipeline.settings.model import Settings
from pipeline.streams.declared import rules_of
from pipeline.streams.walk import fields_with_a_rule

LOST_WARNING = "lost_field: "


def fields_before(workspace: Path) -> dict[str, dict[str, int]]:
    """Stream → field that its rows had at the last run, or before they lost it → rows."""
    summary = next(committed_summaries(workspace), None)
    receipt = None if summary is None else receipts_of(workspace, summary).get("materialize")
    by_stream = (receipt or {}).get("by_stream")
    if not isinstance(by_stream, dict):
        return {}
    return {name: usual_fields(counts) for name, counts in by_stream.items() if isinstance(counts, dict)}


def warn_of_losses(session: Session, settings: Settings, reducer: Reducer) -> dict[str, dict[str, int]]:
    """Name what is lost; a stream without a single row has lost more than fields, and is told elsewhere."""
    before = fields_before(session.workspace)
    losses: dict[str, dict[str, int]] = {}
    for stream in settings.streams:
        masks = reducer.fields.get(stream.name)
        if stream.role == "lookup" or not masks:
            continue
        asked = fields_with_a_rule(rules_of(stream))
        lost = lost_fields(before.get(stream.name, {}), rows_by_field(masks), asked)
        if lost:
            losses[stream.name] = lost
            told = words_of_loss(stream.name, lost)
            session.warn(f"{LOST_WARNING}{told}: distill streams check --stream {stream.name}")
    return losses
