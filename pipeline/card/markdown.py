"""Data as plain text in Markdown and YAML. Names may come from logs, so every one passes through here."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.contracts.untrusted import visible

NAME_CHARACTERS = 80
# What is markup inside a line; a colon, so that no address becomes a link by itself.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|&~:])")


def cell(text: str) -> str:
    """Hidden characters shown, markup disarmed, one line."""
    return _MARKDOWN.sub(r"\\\1", visible(text, NAME_CHARACTERS))


def cell_of_digest(text: str) -> str:
    """Longer than a name may be: digests are shown whole, so that they can be compared."""
    return _MARKDOWN.sub(r"\\\1", visible(text))


def yaml(text: str, most: int | None = NAME_CHARACTERS) -> str:
    """A YAML scalar. A JSON string is one, whatever it holds."""
    return json.dumps(visible(text) if most is None else visible(text, most))


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def most_first(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def counted(counts: Counter[str]) -> str:
    """Names with their counts on one line, or ``none``."""
    return ", ".join(f"{cell(name)} {count:,}" for name, count in most_first(counts)) or "none"
