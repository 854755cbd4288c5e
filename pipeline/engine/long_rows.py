"""Rows that a reader downstream could not take: the firewall reads lines of 16 MiB and judges none longer.

One of them would leave the whole run unjudged, so it is refused where it is made, and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.storage.source_lines import MAX_LINE_BYTES

# A row gets its ``recorded_at`` and a line end when it is written.
MAX_ROW_BYTES = MAX_LINE_BYTES - 4 * 2**10
# A pair holds two runs, each perhaps twice: as texts and as turns.
MAX_SIDE_BYTES = MAX_ROW_BYTES // 4


# One line may be made into many rows, each with what they have in common: all of them wait in memory.
MAX_ROWS_BYTES = 8 * MAX_LINE_BYTES
_A_ROW_BESIDE_ITS_TEXTS = 4 * 2**10


def too_long(rows: Sequence[dict[str, Any]], line_bytes: int, *, uses_lookups: bool) -> LineFault | None:
    """Why a line's evidence cannot be used: one of its ``rows`` is too long, or all of them together are.

    Rows hold what the line holds, a text in two or three places. Where they take nothing from look-ups
    those of a short line are short, too, and are not measured unless they are many.
    """
    are_many = len(rows) * (3 * line_bytes + _A_ROW_BESIDE_ITS_TEXTS) > MAX_ROWS_BYTES
    if line_bytes < MAX_ROW_BYTES // 32 and not uses_lookups and not are_many:
        return None
    longest = together = 0
    for row in rows:
        size = len(orjson.dumps(row))
        longest, together = max(longest, size), together + size
        if together > MAX_ROWS_BYTES:
            return LineFault(
                SkipReason.TOO_LONG,
                f"its {len(rows)} rows are more than {MAX_ROWS_BYTES} bytes of evidence together",
            )
    if longest <= MAX_ROW_BYTES:
        return None
    return LineFault(
        SkipReason.TOO_LONG, f"its evidence is {longest} bytes; at most {MAX_ROW_BYTES} can be read"
    )
