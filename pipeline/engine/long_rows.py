"""Rows that a reader downstream could not take: the firewall reads lines of 16 MiB and judges none longer.

One of them would leave the whole run unjudged, so it is refused where it is made, and named.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.storage.source_lines import MAX_LINE_BYTES

# A row gets its ``recorded_at`` and a line end when it is written.
MAX_ROW_BYTES = MAX_LINE_BYTES - 4 * 2**10
# A pair holds two runs, each perhaps twice: as texts and as turns.
MAX_SIDE_BYTES = MAX_ROW_BYTES // 4


def too_long(rows: Iterable[dict[str, Any]], line_bytes: int, *, uses_lookups: bool) -> LineFault | None:
    """Why a line's evidence cannot be used, if one of its ``rows`` is too long; None when all are short.

    Rows hold what the line holds. Where they take nothing from look-ups those of a short line are short,
    too, and are not measured.
    """
    if line_bytes < MAX_ROW_BYTES // 32 and not uses_lookups:
        return None
    longest = max((len(orjson.dumps(row)) for row in rows), default=0)
    if longest <= MAX_ROW_BYTES:
        return None
    return LineFault(
        SkipReason.TOO_LONG, f"its evidence is {longest} bytes; at most {MAX_ROW_BYTES} can be read"
    )
