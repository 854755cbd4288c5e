"""What a run says of rows that it exports all the same, and what a run after it repeats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.contracts.plurals import plural
from pipeline.engine.chunk_entries import NOTED_MARKUP
from pipeline.engine.lost_fields import LOST_WARNING
from pipeline.engine.reduce import Reducer
from pipeline.engine.run_session import Session
from pipeline.engine.source_warnings import SOURCE_WARNING
from pipeline.engine.unjudged import UNJUDGED_WARNING

_MARKUP = "template_markup: "


def warn_again(session: Session, summary: Mapping[str, Any]) -> None:
    """What the run before said of its rows and sources holds for a run that found nothing changed."""
    for warning in summary.get("warnings", ()):
        if warning.startswith((_MARKUP, SOURCE_WARNING, LOST_WARNING, UNJUDGED_WARNING)):
            session.warn(warning)


def warn_of_markup(session: Session, reducer: Reducer) -> None:
    """Where rows of SFT hold marks of chat templates, that they do, and what keeps them out."""
    rows = reducer.noted[NOTED_MARKUP]
    if rows:
        session.warn(
            f"{_MARKUP}marks of chat templates in the texts of {plural(rows, 'row')} for SFT, which a "
            'tokenizer takes for turns; [export] refuse = ["template_markup"] keeps them out'
        )
