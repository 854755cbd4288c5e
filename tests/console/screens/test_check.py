"""A check's examples lead to the rows they name: by line, by run, or to the lineage of a run."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pytest

from console.reading.row_files import find_row, names_row
from console.tui.screens.audit import CheckScreen
from console.tui.screens.row import LineageScreen
from console.tui.screens.rows import RowsScreen
from pipeline.contracts import paths
from tests.console import check_reports
from tests.console.apps import text_of
from tests.console.row_workspaces import ID, RUN, jsonl, sft, with_rows
from tests.console.screens.opened import app_on, press
from tests.console.states import NOW
from tests.console.workspaces import write

SMALL = (80, 24)
SFT = str(paths.SFT_EXPORT)


def example(**changes: Any) -> dict[str, Any]:
    return {"file": SFT, "line": 3, "run_id": RUN, "text": "lineage: scored rejected"} | changes


def failed_on(root: Path, *examples: dict[str, Any]) -> Path:
    """A workspace with rows whose last audit failed on these."""
    with_rows(root)
    checks = check_reports.audit_checks(P4__sft_firewall=check_reports.leak(examples=list(examples)))
    write(root, check_reports.AUDIT, check_reports.report("audit-full", checks, finished=NOW - 60))
    return root


async def test_enter_on_an_example_opens_the_row_that_it_names(tmp_path: Path) -> None:
    app = app_on(failed_on(tmp_path, example(line=1), example()))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "A", "enter", "down", "enter")
        screen = app.screen
        assert isinstance(screen, RowsScreen)
        assert screen.marked_row is not None
        assert ID.encode() in screen.marked_row.head
        await press(pilot, "escape")
        assert isinstance(app.screen, CheckScreen)


async def test_another_row_in_the_place_of_the_named_one_is_told(tmp_path: Path) -> None:
    app = app_on(failed_on(tmp_path, example(run_id="mint_runs/17")))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "A", "enter", "enter")
        assert isinstance(app.screen, RowsScreen)
        assert "line 3 is another row than the report names" in text_of(app)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"line": 2_763}, f"{SFT} has no line 2763 any more"),
        ({"line": None, "run_id": "gone/1"}, "has no row of gone/1 any more"),
        ({"file": "exports/sft/gone.jsonl"}, "gone.jsonl: No such file"),
    ],
)
async def test_a_row_that_is_gone_is_told_and_nothing_opens(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    app = app_on(failed_on(tmp_path, example(**changes)))
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "A", "enter", "enter")
        assert isinstance(app.screen, CheckScreen)
        assert words in text_of(app)


async def test_an_example_of_a_run_alone_leads_to_its_lineage(tmp_path: Path) -> None:
    app = app_on(failed_on(tmp_path, example(file=None, line=None)))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "A", "enter")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, LineageScreen)


async def test_a_check_without_rows_scrolls_to_its_command(tmp_path: Path) -> None:
    texts = [example(file=None, line=None, run_id=None, text=f"A{n:02d}: " + "word " * 60) for n in range(9)]
    app = app_on(failed_on(tmp_path, *texts))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "A", "enter")
        assert "Run it again" not in text_of(app)
        await press(pilot, "G")
        assert "distill audit-full" in text_of(app)
        assert "►" not in text_of(app)


@pytest.mark.parametrize("file", ["../../etc/passwd.jsonl", "/etc/passwd", "docs/RECON.md", "", "a.jsonl.gz"])
def test_only_rows_of_this_workspace_are_opened(file: str) -> None:
    assert not names_row(file, 1, "r")


def test_a_row_is_found_by_its_line_or_by_its_run(tmp_path: Path) -> None:
    write(tmp_path, SFT, jsonl(*(sft(n, source_run_id=f"run/{n}é") for n in range(9))))
    by_line = find_row(tmp_path, SFT, 5, "run/4é", Event())
    by_run = find_row(tmp_path, SFT, None, "run/4é", Event())
    assert by_line == by_run
    assert by_line.offset is not None
    assert not by_line.doubt
