"""What a run says of rows that it exports all the same."""

from __future__ import annotations

from pipeline.engine.chunk_index import NOTED_MARKUP
from pipeline.engine.reduce import Reducer
from pipeline.engine.run_session import Session


def warn_of_markup(session: Session, reducer: Reducer) -> None:
    """Where rows of SFT hold marks of chat templates, that they do, and what keeps them out."""
    rows = reducer.noted[NOTED_MARKUP]
    if rows:
        session.warn(
            f"template_markup: {rows:,} rows for SFT hold marks of chat templates in their texts, which a "
            'tokenizer takes for turns; [export] refuse = ["template_markup"] keeps them out'
        )
