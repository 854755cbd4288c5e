"""Texts with paths in braces: ``Summarise article {bbcid}``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.streams.paths import Getter, check_path, compile_path

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def check_template(template: str) -> str:
    """``template`` itself. Raises ValueError for an unmatched brace or a wrong path."""
    split_template(template)
    return template


def split_template(template: str) -> list[tuple[str, str | None]]:
    """Literal text, then the path that follows it (None at the end). Raises ValueError."""
    pieces: list[tuple[str, str | None]] = []
    literal = ""
    position = 0
    for match in _PIECE.finditer(template):
        literal += template[position : match.start()]
        position = match.end()
        token = match[0]
        if token in ("{{", "}}"):
            literal += token[0]
        elif match[1] is None:
            raise ValueError("an unmatched brace; a brace that is text is written twice")
        else:
            pieces.append((literal, check_path(match[1]) if match[1] else _empty()))
            literal = ""
    pieces.append((literal + template[position:], None))
    return pieces


def _empty() -> str:
    raise ValueError("empty braces; a path stands in braces, and a brace that is text is written twice")


def compile_template(template: str) -> tuple[Sequence[str], Sequence[Getter]]:
    """Literals and the getters between them; there is one literal more than getters."""
    pieces = split_template(template)
    return [literal for literal, _ in pieces], [compile_path(path) for _, path in pieces if path is not None]
