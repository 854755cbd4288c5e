"""Which fields of evidence a stream's rows fill: counted by a run, compared by the next one and the audit.

A receipt of P2 says per stream ``found_FIELD`` (rows that have it) and ``lost_FIELD`` (rows that had it
when it was last found, where no row has it any more). A receipt without them says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

# The position is a bit of a row's mask in the chunk cache: names are appended, never moved.
FIELDS = (
    "timestamp",
    "model_name",
    "model_provider",
    "instruction",
    "context",
    "response",
    "goal",
    "messages",
    "tools",
    "finish_reason",
    "success_markers",
    "failure_markers",
    "reward",
    "verdict",
    "human_override",
    "validation",
    "tokens",
    "cost_usd",
    "latency_ms",
    "tags",
)
_BITS = tuple(1 << bit for bit in range(len(FIELDS)))
_values_of = itemgetter(*FIELDS)
FOUND, LOST = "found_", "lost_"
# A field that fewer rows have says nothing by its absence: a person's decision, a mark of trouble.
_USUAL_SHARE = 0.1


def mask_of(row: Mapping[str, Any]) -> int:
    """One bit for each of ``FIELDS`` that has a value in an evidence row; an empty text is one."""
    try:
        values = _values_of(row)
    except KeyError:  # evidence of an older version has fewer
        values = tuple(row.get(name) for name in FIELDS)
    mask = 0
    for value, bit in zip(values, _BITS, strict=True):
        # Most values are true, or null: neither is compared with the empty ones.
        if value or (value is not None and value != [] and value != {}):
            mask |= bit
    return mask


def rows_by_field(masks: Mapping[int, int]) -> dict[str, int]:
    """Field → rows that have it, from mask → rows."""
    found = dict.fromkeys(FIELDS, 0)
    for mask, rows in masks.items():
        for bit, name in enumerate(FIELDS):
            if mask >> bit & 1:
                found[name] += rows
    return {name: rows for name, rows in found.items() if rows}


def usual_fields(counts: Mapping[str, int]) -> dict[str, int]:
    """What a receipt's counts of one stream say that its rows have, or had before they lost it → rows."""
    rows = counts.get("evidence", 0)
    usual = {
        key.removeprefix(FOUND): found
        for key, found in counts.items()
        if key.startswith(FOUND) and found >= rows * _USUAL_SHARE
    }
    return usual | {key.removeprefix(LOST): had for key, had in counts.items() if key.startswith(LOST)}


def lost_fields(before: Mapping[str, int], now: Mapping[str, int], asked: Iterable[str]) -> dict[str, int]:
    """Fields that a rule asks for, that rows had ``before`` and that none has ``now`` → rows before."""
    wanted = set(asked)
    return {name: rows for name, rows in before.items() if name in wanted and not now.get(name)}


def words_of_loss(stream: str, lost: Mapping[str, int]) -> str:
    """One sentence for every face that tells it."""
    told = ", ".join(f"{name} ({rows:,} rows had it)" for name, rows in lost.items())
    return f"stream {stream}: no row has {told} any more"
