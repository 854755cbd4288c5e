"""One digest of what a run produced, and of nothing that varies with the machine.

Covered: the rows of every output without ``recorded_at``, the counts, the settings that touch
rows. Left out on purpose: clock, durations, workers, chunk size and count, host, absolute paths,
the order in which a directory lists its files, PYTHONHASHSEED, TZ, locale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.storage.digests import digest_of

# Counts that say how the work was divided, not what came out of it.
_NOT_PRODUCED = frozenset(("chunks_total", "chunks_processed"))


def run_hash(
    outputs: Mapping[str, tuple[int, str]],
    counts: Mapping[str, int],
    streams: Mapping[str, Mapping[str, int]],
    settings_digest: str,
) -> str:
    """Hex sha256. ``outputs`` maps a relative path to its rows and rows digest."""
    covered: dict[str, Any] = {
        "outputs": {path: {"rows": rows, "rows_digest": digest} for path, (rows, digest) in outputs.items()},
        "counts": {name: count for name, count in counts.items() if name not in _NOT_PRODUCED},
        "streams": {name: dict(of_stream) for name, of_stream in streams.items()},
        "settings": settings_digest,
    }
    return digest_of(covered)
