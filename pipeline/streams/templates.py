"""Texts with paths in braces: ``Summarise article {bbcid}``."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.settings.syntax import split_template
from pipeline.streams.paths import Getter, compile_path


def compile_template(template: str) -> tuple[Sequence[str], Sequence[Getter]]:
    """Literals and the getters between them; there is one literal more than getters."""
    pieces = split_template(template)
    return [literal for literal, _ in pieces], [compile_path(path) for _, path in pieces if path is not None]
