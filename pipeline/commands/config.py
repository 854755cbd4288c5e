"""``distill config show``: each setting, and who set it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from pipeline.commands.context import CommandContext
    from pipeline.settings.load import LoadedSettings

_MAX_KEY_WIDTH = 44


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    from pipeline.platform.git import read_git_state
    from pipeline.settings.digest import rows_digest
    from pipeline.settings.origin import leaves

    loaded = context.settings()
    if context.json:
        context.out_json(
            {
                "file": str(loaded.path),
                "rows_digest": rows_digest(loaded.settings),
                "values": [
                    {"key": name, "value": value, "origin": loaded.origins[name]}
                    for name, _, value in leaves(loaded.settings)
                ],
            }
        )
        return ExitCode.OK
    context.out("\n".join(_table(loaded)))
    for missing in read_git_state(context.workspace).cannot_offer:
        context.note(f"Not offered without a git repository: {missing}.")
    return ExitCode.OK


def _table(loaded: LoadedSettings) -> list[str]:
    """One line a value, under a heading for each section: key, value, origin."""
    from pipeline.settings.origin import leaves

    rows = []
    for name, _, value in leaves(loaded.settings):
        section, key = _split(name)
        rows.append((section, visible(key), visible(written(value)), loaded.origins[name]))
    key_width = min(_MAX_KEY_WIDTH, max(len(row[1]) for row in rows))
    origin_width = max(len(row[3]) for row in rows)
    lines = [str(loaded.path)]
    current = None
    for section, key, value, origin in rows:
        if section != current:
            lines += ["", f"[{visible(section)}]"]
            current = section
        # The value stands last, since it alone may be long.
        lines.append(f"  {key:<{key_width}}  {origin:<{origin_width}}  {value}")
    return lines


def _split(name: str) -> tuple[str, str]:
    """Section and key. A stream's rules stay with the stream: ``fields.reward`` is a key of it."""
    if name.startswith("stream["):
        stream, _, key = name.partition("].")
        return f"{stream}]", key
    section, _, key = name.rpartition(".")
    return section, key


def written(value: object) -> str:
    """A value as JSON, which for these values is almost how the file spells it; unset is ``-``."""
    return "-" if value is None else json.dumps(value, ensure_ascii=False)
