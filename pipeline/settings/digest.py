"""Digests of the settings that touch rows.

They decide whether a cached chunk may be used again, and they are part of run_hash. So they
hold nothing that varies with the machine or with the way the work is divided: no workers, no
chunk size, and no ``path`` (it may be absolute, and which files were read is in every row's
provenance).

A setting that came later counts only where it is set to something else than its default: a release
that brings new settings leaves the digest of every old ``distill.toml`` as it was.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from pydantic import BaseModel

from pipeline.settings.model import Settings, StreamSettings

# Fields of a stream that leave its rows as they are.
_NOT_IN_ROWS = {"path", "tier", "license", "license_link", "max_shrink"}
# The members that have always stood in the digest, by section; others are left out at their default.
_FROM_THE_START = {
    "StreamSettings": frozenset(("name", "role", "key", "exports", "preset", "where", "fields", "parts")),
    "ScoringSettings": frozenset(("accept_at", "partial_at")),
    "ExportSettings": frozenset(("validation_share", "rag", "sft", "preference")),
    "RagSettings": frozenset(("max_tokens",)),
    "SftSettings": frozenset(("max_tokens",)),
    "PreferenceSettings": frozenset(("max_tokens", "max_pairs_per_task")),
}


def rows_digest(settings: Settings) -> str:
    """sha256 (hex) over all streams in declared order, scoring and export."""
    return _digest(settings.streams, settings)


def stream_digest(settings: Settings, stream: StreamSettings) -> str:
    """sha256 (hex) over what touches the rows of one chunk of ``stream``.

    Other streams are left out: what a look-up contributes has a digest of its own.
    """
    return _digest((stream,), settings)


def _digest(streams: tuple[StreamSettings, ...], settings: Settings) -> str:
    touching: dict[str, Any] = {
        "streams": [_digested(stream) for stream in streams],
        "scoring": _digested(settings.scoring),
        "export": _digested(settings.export),
    }
    # What the sets hold has digests of its own; a workspace without any keeps its digest.
    if settings.evaluations:
        touching["evaluations"] = [
            declared.model_dump(mode="json", exclude={"path"}) for declared in settings.evaluations
        ]
    canonical = orjson.dumps(touching, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()


def _digested(section: BaseModel) -> dict[str, Any]:
    """The members of a section, as JSON, that count."""
    always = _FROM_THE_START.get(type(section).__name__, frozenset())
    left_out = {
        name
        for name, field in type(section).model_fields.items()
        if name in _NOT_IN_ROWS
        or (name not in always and getattr(section, name) == field.get_default(call_default_factory=True))
    }
    shown = section.model_dump(mode="json", exclude=left_out)
    for name in shown:
        inner = getattr(section, name)
        if isinstance(inner, BaseModel):
            shown[name] = _digested(inner)
    return shown
