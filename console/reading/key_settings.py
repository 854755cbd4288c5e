"""The keys that ``distill.toml`` gives to actions, read without the engine's settings code.

All or nothing: with any mistake the console keeps its own keys, because half of a key map that
somebody meant differently is how the wrong key gets pressed. The mistakes are told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from console import keymap
from pipeline.contracts import paths
from pipeline.contracts.faults import Fault
from pipeline.contracts.nearest import nearest
from pipeline.contracts.toml_document import parsed
from pipeline.contracts.untrusted import visible
from pipeline.platform.lenient_json import bytes_or_empty, object_of

# What a terminal, its line discipline or a multiplexer keeps: never the only way to an action.
EATEN = frozenset(("ctrl+s", "ctrl+q", "ctrl+j", "ctrl+m", "ctrl+i", "ctrl+b", "ctrl+a", "ctrl+enter"))
# A printable character, a named key, a function key; with ctrl or shift.
_KEY = re.compile(r"((ctrl|shift)\+){0,2}([a-z_]{2,24}|f[0-9]{1,2}|[^\W_])")


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """``keys`` is empty when there is a fault."""

    keys: Mapping[str, tuple[str, ...]]
    faults: tuple[Fault, ...] = ()


def read_keys(root: Path) -> KeyChoice:
    """What ``[console] keys`` says. Never raises; a file that cannot be read gives no keys."""
    try:
        document = parsed(bytes_or_empty(root / paths.SETTINGS))
    except (OSError, ValueError, RecursionError):
        return KeyChoice({})  # the workspace's own reader notes that
    given = object_of(document, "console").get("keys", {})
    if not isinstance(given, Mapping):
        return KeyChoice({}, (_fault("[console] keys is not a table of actions."),))
    return choose(given)


def choose(given: Mapping[str, object]) -> KeyChoice:
    """The keys if all of them may be given like this, else every reason why not. Pure."""
    keys: dict[str, tuple[str, ...]] = {}
    wrong: list[str] = []
    for action_id, value in given.items():
        names = _texts(value)
        if action_id not in keymap.BY_ID:
            close = nearest(action_id, keymap.BY_ID)
            hint = f" Nearest: {close}." if close else ""
            wrong.append(f"[console] keys: there is no action {visible(action_id, 40)}.{hint}")
        elif not names or not all(_is_key(keymap.named(name)) for name in names):
            wrong.append(f"[console] keys: {action_id} has a value that is not a key or a list of keys.")
        elif all(keymap.named(name) in EATEN for name in names):
            wrong.append(f"[console] keys: {action_id} has only keys that terminals keep for themselves.")
        else:
            keys[action_id] = tuple(keymap.named(name) for name in names)
    wrong += _clashes(keymap.with_keys(keys))
    return KeyChoice({}, tuple(map(_fault, wrong))) if wrong else KeyChoice(keys)


def _texts(value: object) -> list[str]:
    """A text, or a list of nothing but texts; else no text at all."""
    values = value if isinstance(value, list) else [value]
    texts = [text for text in values if isinstance(text, str)]
    return texts if len(texts) == len(values) else []


def _is_key(name: str) -> bool:
    return _KEY.fullmatch(name) is not None and "alt+" not in name


def _clashes(actions: tuple[keymap.Action, ...]) -> list[str]:
    found: dict[tuple[str, str, str], str] = {}
    for place in get_args(keymap.Place):
        holders: dict[str, str] = {}
        for action in actions:
            for key in action.keys if place in action.where else ():
                other = holders.setdefault(key, action.id)
                if other != action.id:
                    found.setdefault((key, other, action.id), place)
    return [
        f"[console] keys: {keymap.shown(key)} would mean both {one} and {two} ({place})."
        for (key, one, two), place in found.items()
    ]


def _fault(what: str) -> Fault:
    return Fault(
        "console_keys",
        what,
        "All keys are as they were; nothing else is affected.",
        "Correct [console] in distill.toml; the keys: docs/keys.md",
        file=str(paths.SETTINGS),
    )
