"""How ``distill score --what-if`` prints what it found: a table and examples, or data."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from pipeline.commands.context import CommandContext
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.what_if import WhatIf

EXAMPLES_SHOWN = 10


def data_of(found: WhatIf) -> dict[str, Any]:
    """Every moved row and every export row that comes or goes."""
    return {
        "schema_version": 1,
        "kind": "what-if",
        "now": found.now.model_dump(),
        "then": found.then.model_dump(),
        "rows": dict(found.rows),
        "left_out": found.left_out,
        "moved": len(found.moves),
        "by_stream": [
            {"stream": stream, "before": before, "after": after, "rows": rows}
            for (stream, before, after), rows in _by_stream(found).items()
        ],
        "moves": [asdict(move) for move in found.moves],
        "exports": [asdict(change) for change in found.exports],
    }


def print_what_if(context: CommandContext, found: WhatIf) -> None:
    total = found.rows.total()
    changed = ", ".join(
        f"{name} {_shown(getattr(found.now, name))} → {_shown(value)}"
        for name, value in found.then.model_dump().items()
        if value != getattr(found.now, name)
    )
    context.out(f"{changed or 'nothing changed'}: {len(found.moves):,} of {plural(total, 'row')} would move")
    if found.moves:
        context.table(
            ("stream", ">rows", "now", "then"),
            [[stream, f"{rows:,}", now, then] for (stream, now, then), rows in _by_stream(found).items()],
        )
    context.table(
        ("export", ">now", ">then", ">gained", ">lost"),
        [
            [each.export, *(f"{rows:,}" for rows in (each.now, each.then, len(each.gained), len(each.lost)))]
            for each in found.exports
        ],
    )
    if found.moves:
        context.table(
            ("example", ">score", "now", "then", "task"),
            [
                [each.run_id, f"{each.score:g}", each.before, each.after, visible(each.task_id, 40)]
                for each in _examples(found)
            ],
        )
    if found.left_out:
        context.note(f"{found.left_out:,} evidence rows cannot be scored and were left out")
    context.note("nothing was written; to make it so, change [scoring] in distill.toml")


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _by_stream(found: WhatIf) -> Counter[tuple[str, str, str]]:
    return Counter((move.stream, move.before, move.after) for move in found.moves)


def _examples(found: WhatIf) -> list[Any]:
    """A few of each kind of move, rather than many of the first."""
    kinds: Counter[tuple[str, str, str]] = Counter()
    each = max(1, EXAMPLES_SHOWN // max(1, len(_by_stream(found))))
    shown = []
    for move in found.moves:
        kind = (move.stream, move.before, move.after)
        kinds[kind] += 1
        if kinds[kind] <= each:
            shown.append(move)
    return shown[:EXAMPLES_SHOWN]
