"""Screens, pages and errors use the field's words: the glossary's table is held against every text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.fresh_interpreter import REPOSITORY

GLOSSARY = (REPOSITORY / "docs/glossary.md").read_text()
ROOMS = ("console", "runbook", "pipeline/commands", "pipeline/reading", "pipeline/audit")


def words_not_used() -> list[str]:
    """The second column of the table "Words of screens": what is not written any more."""
    table = GLOSSARY.partition("\n## Words of screens\n")[2].partition("\n## ")[0]
    return [quoted for row in table.splitlines() for quoted in re.findall(r"“([^”]+)”", row)]


def texts_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of every string but docstrings; the parts of an f-string one by one."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def used_in(path: Path, words: list[str]) -> list[str]:
    texts = texts_of(ast.parse(path.read_text()))
    return [f"{path}:{at} {word!r}" for at, text in texts for word in words if word.lower() in text.lower()]


def test_no_screen_uses_a_word_that_the_glossary_replaced() -> None:
    words = words_not_used()
    assert len(words) >= 7
    found = [
        use for room in ROOMS for path in (REPOSITORY / room).rglob("*.py") for use in used_in(path, words)
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    ["say('It goes on without you')", "say(f'{n}: Take it back, by a plan of its own')"],
)
def test_a_replaced_word_is_found(tmp_path: Path, source: str) -> None:
    path = tmp_path / "screen.py"
    path.write_text(f'"""It goes on without you."""\n{source}\n')
    assert len(used_in(path, words_not_used())) == 1
