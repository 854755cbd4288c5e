"""The status, and whatever is made of the same classes, as JSON types."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any

from pipeline.contracts.moments import iso_utc
from pipeline.contracts.row_counts import Balance

TIME_FIELDS = frozenset(("as_of", "since", "started", "ended", "read_at", "baseline_as_of"))


def as_data(value: Any) -> Any:
    """``value`` as JSON types. A time ``x`` is followed by ``x_utc``, its ISO 8601 form."""
    if is_dataclass(value) and not isinstance(value, type):
        data: dict[str, Any] = {}
        for field in fields(value):
            item = getattr(value, field.name)
            data[field.name] = as_data(item)
            if field.name in TIME_FIELDS and isinstance(item, float):
                data[f"{field.name}_utc"] = iso_utc(item)
        if isinstance(value, Balance):
            data["holds"] = value.holds
        return data
    if isinstance(value, (tuple, list)):
        return [as_data(item) for item in value]
    return str(value) if isinstance(value, StrEnum) else value
