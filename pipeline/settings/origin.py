"""Who set each value: the default, or a line of ``distill.toml``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from pipeline.contracts import paths
from pipeline.settings.locate import KeyPath
from pipeline.settings.model import EvaluationSettings, Settings, StreamSettings

DEFAULT = "default"
_NAMED = (StreamSettings, EvaluationSettings)


def leaves(settings: Settings) -> Iterator[tuple[str, KeyPath, Any]]:
    """Each value as (name, path in the document, value), in the order of the model.

    A stream is named, not counted: ``stream[taubench_airline].fields.reward``. A rule tree is
    one value.
    """
    yield from _section(settings, "", ())


def _section(section: BaseModel, prefix: str, path: KeyPath) -> Iterator[tuple[str, KeyPath, Any]]:
    for field_name, field in type(section).model_fields.items():
        key = field.alias or field_name
        value = getattr(section, field_name)
        name = f"{prefix}{key}"
        if isinstance(value, BaseModel):
            yield from _section(value, f"{name}.", (*path, key))
        elif isinstance(value, dict):
            for inner, item in value.items():
                yield f"{name}.{inner}", (*path, key, inner), item
        elif isinstance(value, tuple) and any(isinstance(item, _NAMED) for item in value):
            for index, stream in enumerate(value):
                yield from _section(stream, f"{name}[{stream.name}].", (*path, key, index))
        elif key not in ("stream", "evaluation"):
            yield name, (*path, key), value


def origins(settings: Settings, lines: dict[KeyPath, int]) -> dict[str, str]:
    """Name of each leaf value → ``default``, or ``distill.toml:LINE``."""
    found = {}
    for name, path, _ in leaves(settings):
        if path in lines:
            found[name] = f"{paths.SETTINGS}:{lines[path]}"
        else:
            found[name] = DEFAULT
    return found
