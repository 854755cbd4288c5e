"""The few settings that a viewer needs, read without the engine's settings code.

A mistake in ``distill.toml`` is the engine's to explain (``distill config show``); here it only
means that a default is used and noted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.symptoms import Threshold
from pipeline.contracts.toml_document import parsed
from pipeline.platform.lenient_json import (
    Json,
    bytes_or_empty,
    count_of,
    number_of,
    object_of,
    objects_of,
    text_of,
)
from pipeline.reading.report_files import Notes

DO_NEXT = "; defaults stand in its place. Repair it, then: distill config show"
"""Behind what is wrong with the settings, in a note on them."""
_AT = re.compile(r" \(at line (\d+), column \d+\)$")


@dataclass(frozen=True, slots=True)
class StreamGlance:
    """One ``[[stream]]``: ``rules`` is all of its table."""

    name: str
    tier: int
    role: str
    globs: tuple[str, ...]
    rules: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SettingsGlance:
    """``trouble`` says why nothing of it could be read: then all of it is defaults."""

    name: str
    last_good_tag: str = paths.DEFAULT_TAG
    streams: tuple[StreamGlance, ...] = ()
    source_roots: tuple[str, ...] = ()
    own_engine: bool = False
    trouble: str = ""
    document: Json = field(default_factory=dict, repr=False, compare=False)

    def number(self, threshold: Threshold) -> float:
        """What the settings say of a symptom's threshold; its default where that is no positive number."""
        said = number_of(object_of(self.document, threshold.section), threshold.key)
        return said if said is not None and said > 0 else threshold.default


def read_settings(root: Path, notes: Notes) -> SettingsGlance:
    """What ``distill.toml`` says, defaults where it says nothing usable. Never raises."""
    try:
        value = parsed(bytes_or_empty(root / paths.SETTINGS))
    except (OSError, ValueError, RecursionError) as error:
        said = _said_of(error)
        notes.add(f"{said}{DO_NEXT}")
        return SettingsGlance(root.name, trouble=said)
    workspace = object_of(value, "workspace")
    return SettingsGlance(
        name=text_of(workspace, "name") or root.name,
        last_good_tag=text_of(workspace, "last_good_tag") or paths.DEFAULT_TAG,
        streams=streams_of(value),
        source_roots=_texts(workspace.get("source_roots")),
        own_engine=text_of(object_of(value, "engine"), "source") == "workspace",
        document=value,
    )


def _said_of(error: Exception) -> str:
    """``distill.toml:12 is not valid TOML: …``: the line where a person looks for it."""
    at = _AT.search(str(error))
    if at is not None:
        return f"{paths.SETTINGS}:{at[1]} is not valid TOML: {str(error)[: at.start()]}"
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{paths.SETTINGS} cannot be read: {why}"


def streams_of(settings: Json) -> tuple[StreamGlance, ...]:
    """The streams of parsed settings in their order; what has no name is left out."""
    return tuple(
        StreamGlance(
            name,
            tier if (tier := count_of(stream, "tier")) is not None else 1,
            text_of(stream, "role") or "source",
            _texts(stream.get("path")),
            stream,
        )
        for stream in objects_of(settings, "stream")
        if (name := text_of(stream, "name"))
    )


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
