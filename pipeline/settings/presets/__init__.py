"""Shipped rules for logs that many tools write. A stream's own fields override them.

A preset is one module of this folder with a ``PRESET``, and nothing else lists it. What a person needs to
know of it stands there too, and becomes its page; ``fixtures/presets/NAME/`` holds a log of its
kind and what has to come of it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache

from pipeline.settings.presets.preset import Preset
from pipeline.settings.rules import StreamRules

_BESIDE = frozenset(("preset", "shared"))


class _Presets(Mapping[str, StreamRules]):
    """Name to rules. A preset is read when it is asked for: most settings name none, or one."""

    def __getitem__(self, name: str) -> StreamRules:
        if name not in _names():
            raise KeyError(name)
        return _rules(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_names())

    def __len__(self) -> int:
        return len(_names())

    def __contains__(self, name: object) -> bool:
        return name in _names()


PRESETS = _Presets()


def preset(name: str) -> Preset:
    """The preset of that name, which is that of its module. Raises KeyError."""
    if name not in PRESETS:
        raise KeyError(name)
    found = importlib.import_module(f"{__name__}.{name}").PRESET
    if not isinstance(found, Preset):
        raise TypeError(f"{name} has no PRESET")
    return found


@cache
def _names() -> tuple[str, ...]:
    return tuple(
        sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in _BESIDE)
    )


@cache
def _rules(name: str) -> StreamRules:
    return StreamRules.model_validate(preset(name).rules)
