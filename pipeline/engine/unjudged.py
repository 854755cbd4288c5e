"""Streams of which no run was judged, since nothing in the log, or no rule, says how one ended."""

from __future__ import annotations

from collections import Counter

from pipeline.contracts.evidence_fields import rows_by_field
from pipeline.engine.reduce import Reducer
from pipeline.engine.run_session import Session
from pipeline.settings.model import Settings

UNJUDGED_WARNING = "outcome: "
_OUTCOMES = frozenset(("success_markers", "failure_markers", "reward", "verdict", "human_override"))


def warn_of_unjudged(session: Session, settings: Settings, reducer: Reducer) -> None:
    """Name each stream whose runs all wait for a person because no row of it holds an outcome."""
    for stream in settings.streams:
        counts = reducer.counts.get(stream.name, Counter[str]())
        rows = counts["evidence"]
        if stream.role == "lookup" or not rows or counts["needs_human_review"] != rows:
            continue
        if _OUTCOMES & rows_by_field(reducer.fields.get(stream.name, {})).keys():
            continue
        session.warn(
            f"{UNJUDGED_WARNING}stream {stream.name}: no row says how a run ended, so that all {rows:,} wait "
            "for a person (needs_human_review) and none is exported. Map reward, verdict or markers, then: "
            f"distill streams check --stream {stream.name}"
        )
