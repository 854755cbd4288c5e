"""The schemas as a wall: called once for each row that an exporter is about to write.

The rows come without ``recorded_at``, which the engine stamps later with one value for the
whole run, checked by ``engine.clock``, and SFT rows without the pass rate of their task, which only
the reduce knows. Constants stand in for them here. Each model is
compiled at its first row, so that importing this file stays cheap.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.schemas.preference import PreferenceSample
from pipeline.schemas.rag import RagSample
from pipeline.schemas.sft import SftSample

_STAND_IN = "2000-01-01T00:00:00Z"


@cache
def _compiled(model: type[BaseModel]) -> Callable[[Any], Any]:
    # model_validate adds a Python call to each row; this is the compiled method behind it.
    model.model_rebuild()
    return model.__pydantic_validator__.validate_python


def validate_rag(row: dict[str, Any]) -> None:
    """Raises ValidationError unless the row, but for ``recorded_at``, is a RagSample."""
    _compiled(RagSample)({**row, "recorded_at": _STAND_IN})


def validate_sft(row: dict[str, Any]) -> None:
    """Raises ValidationError unless the row, but for pass rate and ``recorded_at``, is an SftSample."""
    _compiled(SftSample)({**row, "attempts": 1, "passed": 1, "recorded_at": _STAND_IN})


def validate_preference(row: dict[str, Any]) -> None:
    """Raises ValidationError unless the row, but for ``recorded_at``, is a PreferenceSample."""
    _compiled(PreferenceSample)({**row, "recorded_at": _STAND_IN})


def first_refusal(error: ValidationError) -> str:
    """Field and kind of the first error, such as ``quality_score: literal_error``.

    It quotes no value: what was refused is data, and may be what must not be shown.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{field_of(first['loc'])}: {first['type']}"


def field_of(location: tuple[int | str, ...]) -> str:
    """A location as one word: ``messages[2].role``; the row itself is ``(row)``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "(row)"
