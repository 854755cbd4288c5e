"""Screens, pages and errors use the field's words: the glossary's table is held against every text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.fresh_interpreter import REPOSITORY

GLOSSARY = (REPOSITORY / "docs/glossary.md").read_text()
ROOMS = (
    "console", "runbook", "pipeline/audit", "pipeline/checks", "pipeline/commands",
    "pipeline/drift", "pipeline/engine", "pipeline/firewall", "pipeline/reading", "pipeline/release",
)  # fmt: skip
# What screens and pages show in the end, whole sentences among it that no single string holds.
SHOWN = (
    "tests/console/screens/__pictures__/*.txt", "docs/tour/*.svg", "docs/images/*.svg", "docs/runbook/*.md",
    "docs/keys.md", "docs/checks.md", "docs/commands.md", "README.md",
)  # fmt: skip


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


def test_no_picture_and_no_page_shows_such_a_word() -> None:
    words = words_not_used()
    files = [path for pattern in SHOWN for path in REPOSITORY.glob(pattern)]
    assert len(files) > 60
    found = [f"{path} {word!r}" for path in files for word in words if word.lower() in _as_shown(path)]
    assert found == []


def _as_shown(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("&#160;", " ").lower()


@pytest.mark.parametrize(
    "source",
    ["say('It goes on without you')", "say(f'{n}: Take it back, by a plan of its own')"],
)
def test_a_replaced_word_is_found(tmp_path: Path, source: str) -> None:
    path = tmp_path / "screen.py"
    path.write_text(f'"""It goes on without you."""\n{source}\n')
    assert len(used_in(path, words_not_used())) == 1
