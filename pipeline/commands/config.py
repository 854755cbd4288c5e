"""``distill config show``: each setting, and who set it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from pipeline.commands.context import CommandContext


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
    context.out(visible(str(loaded.path)))
    # The value stands last, since it alone may be long.
    context.table(
        ("setting", "set by", "value"),
        [[name, loaded.origins[name], written(value)] for name, _, value in leaves(loaded.settings)],
    )
    for missing in read_git_state(context.workspace).cannot_offer:
        context.note(f"Not offered without a git repository: {missing}.")
    return ExitCode.OK


def written(value: object) -> str:
    """A value as JSON, which for these values is almost how the file spells it; unset is ``-``."""
    return "-" if value is None else json.dumps(value, ensure_ascii=False)
