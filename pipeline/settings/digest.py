"""Digests of the settings that touch rows.

They decide whether a cached chunk may be used again, and they are part of run_hash. So they
hold nothing that varies with the machine or with the way the work is divided: no workers, no
chunk size, and no ``path`` (it may be absolute, and which files were read is in every row's
provenance).
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from pipeline.settings.model import Settings, StreamSettings

# Fields of a stream that leave its rows as they are.
_NOT_IN_ROWS = {"path", "tier", "license"}


def rows_digest(settings: Settings) -> str:
    """sha256 (hex) over all streams in declared order, scoring and export."""
    return _digest([_stream(stream) for stream in settings.streams], settings)


def stream_digest(settings: Settings, stream: StreamSettings) -> str:
    """sha256 (hex) over what touches the rows of one chunk of ``stream``.

    Other streams are left out: what a look-up contributes has a digest of its own.
    """
    return _digest([_stream(stream)], settings)


def _stream(stream: StreamSettings) -> dict[str, Any]:
    return stream.model_dump(mode="json", exclude=_NOT_IN_ROWS)


def _digest(streams: list[dict[str, Any]], settings: Settings) -> str:
    touching: dict[str, Any] = {
        "streams": streams,
        "scoring": settings.scoring.model_dump(mode="json"),
        "export": settings.export.model_dump(mode="json"),
    }
    # What the sets hold has digests of its own; a workspace without any keeps its digest.
    if settings.evaluations:
        touching["evaluations"] = [
            declared.model_dump(mode="json", exclude={"path"}) for declared in settings.evaluations
        ]
    canonical = orjson.dumps(touching, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()
