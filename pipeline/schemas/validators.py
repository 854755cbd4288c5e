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
from pipeline.schemas.written import is_written_preference, is_written_rag, is_written_sft

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


def refusal_of_rag(row: dict[str, Any], line: bytes) -> str | None:
    """Why ``line``, the bytes of ``row`` but for ``recorded_at``, is no RagSample; None when it is one."""
    return None if is_written_rag(line) else _named(validate_rag, row)


def refusal_of_sft(row: dict[str, Any], line: bytes) -> str | None:
    """Why ``line``, the bytes of ``row`` but for what is added later, is no SftSample; None when it is."""
    return None if is_written_sft(line) else _named(validate_sft, row)


def refusal_of_preference(row: dict[str, Any], line: bytes) -> str | None:
    """Why ``line``, the bytes of ``row`` but for ``recorded_at``, is no PreferenceSample; None when it is."""
    return None if is_written_preference(line) else _named(validate_preference, row)


def _named(validate: Callable[[dict[str, Any]], None], row: dict[str, Any]) -> str:
    """What the model finds wrong with a row whose bytes were refused."""
    try:
        validate(row)
    except ValidationError as error:
        return first_refusal(error)
    return "(row): not_as_written"


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
