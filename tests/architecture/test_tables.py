"""Commands print lists through the one table: columns laid out by hand break at the first long name."""

from __future__ import annotations

import ast
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# Two padded cells in one text are columns.
COLUMNS = 2
# Not tables: a change is told the moment it comes, or each row has a sentence of its own below it.
LINES = {
    "console/commands/watch.py",
    "pipeline/commands/explain.py",
    "runbook/commands/runbook.py",
}


def _padded(text: ast.JoinedStr) -> int:
    specs = [part.format_spec for part in text.values if isinstance(part, ast.FormattedValue)]
    return sum(spec is not None and any(sign in ast.unparse(spec) for sign in "<>") for spec in specs)


def _lays_out_columns(source: str) -> bool:
    texts = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr)]
    return any(_padded(text) >= COLUMNS for text in texts)


def test_no_command_lays_out_columns_by_hand() -> None:
    commands = sorted(REPOSITORY.glob("*/commands/*.py"))
    assert len(commands) > 40
    found = {str(path.relative_to(REPOSITORY)) for path in commands if _lays_out_columns(path.read_text())}
    assert found == LINES


def test_columns_by_hand_are_seen() -> None:
    assert _lays_out_columns('print(f"{name:<10} {rows:>8,} rows")')
    assert _lays_out_columns('print(f"{name:<{width}}  {state:<9}")')
    assert not _lays_out_columns('print(f"{name}: {rows:,} of {total:>3} rows")')
