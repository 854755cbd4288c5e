"""Every chat template of TRL, on every conversation: which refuse what, and which lose the last answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple


class Rendered(NamedTuple):
    """One template. ``refused`` counts conversations by the reason that it gave."""

    name: str
    taken: int
    refused: Counter[str]
    without_answer: int


def render_all(rows: Iterable[dict[str, Any]], tokenizer: Any) -> list[Rendered]:
    import trl

    rows = list(rows)
    folder = Path(trl.__file__).parent / "chat_templates"
    return [
        _render(path.stem, path.read_text(encoding="utf-8"), rows, tokenizer)
        for path in sorted(folder.glob("*.jinja"))
    ]


def _render(name: str, template: str, rows: list[dict[str, Any]], tokenizer: Any) -> Rendered:
    taken, lost = 0, 0
    refused: Counter[str] = Counter()
    for row in rows:
        tools = json.loads(row["tools"]) if row["tools"] else None
        try:
            text = tokenizer.apply_chat_template(
                row["messages"], tools=tools, chat_template=template, tokenize=False
            )
        except Exception as error:  # noqa: BLE001 - a template raises whatever its author chose
            refused[f"{type(error).__name__}: {error}".splitlines()[0][:90]] += 1
            continue
        taken += 1
        lost += row["messages"][-1]["content"].strip() not in text
    return Rendered(name, taken, refused, lost)
