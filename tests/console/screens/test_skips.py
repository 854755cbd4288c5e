"""Skips: counted by reason and stream, examples that lead to the line itself."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from console.reading import skip_tally
from console.reading.skip_tally import SkipTally
from console.tui.screens.rows import RowsScreen
from console.tui.screens.skips import SkipsScreen
from pipeline.contracts import paths
from tests.console.apps import text_of
from tests.console.row_workspaces import jsonl, skip, with_rows
from tests.console.screens.opened import app_on, press, seen
from tests.console.workspaces import write

SMALL = (80, 24)


def counted(root: Path) -> SkipTally:
    tally = SkipTally(root)
    tally.count(Event())
    return tally


def test_skips_are_counted_by_stream_and_reason(tmp_path: Path) -> None:
    tally = counted(with_rows(tmp_path))
    counts = {key: group.rows for key, group in tally.groups.items()}
    assert counts == {
        ("mint_runs", "not_json"): 1,
        ("agbenchmark_reports", "filtered_out"): 5,
        ("mint_runs", "filtered_out"): 1,
    }
    assert (tally.rows, tally.garbage, tally.counted_share) == (7, 0, 1.0)


@pytest.mark.parametrize("piece_bytes", [1, 64, 200, 1_000_000])
def test_the_size_of_a_piece_changes_no_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    """Pieces shorter than a row leave it out of the count by reason, and say so."""
    root = with_rows(tmp_path)
    monkeypatch.setattr(skip_tally, "SCAN_BYTES", piece_bytes)
    tally = counted(root)
    assert tally.rows + tally.garbage == 7


def test_an_example_names_where_its_row_begins(tmp_path: Path) -> None:
    root = with_rows(tmp_path)
    data = (root / paths.DISTILLATION_SKIPS).read_bytes()
    for group in counted(root).groups.values():
        for example in group.examples:
            assert data[example.row_offset :].startswith(b'{"schema_version"')


def test_garbage_and_carriage_returns_are_counted_not_obeyed(tmp_path: Path) -> None:
    hostile = jsonl(skip("a\r\x1b[2J", "b", 1, 0)) + 'no row\r\n[]\n{"stream": 1}\n' + '{"torn'
    write(tmp_path, paths.DISTILLATION_SKIPS, hostile)
    tally = counted(tmp_path)
    assert (tally.rows, tally.garbage) == (1, 3)


def test_what_is_appended_is_counted_on_and_a_new_file_anew(tmp_path: Path) -> None:
    root = with_rows(tmp_path)
    tally = counted(root)
    with (root / paths.DISTILLATION_SKIPS).open("a") as more:
        more.write(jsonl(skip("mint_runs", "not_json", 3, 99)))
    tally.count(Event())
    assert tally.rows == 8
    write(root, "new", jsonl(skip("x", "y", 1, 0))).rename(root / paths.DISTILLATION_SKIPS)
    tally.count(Event())
    assert list(tally.groups) == [("x", "y")]


def test_a_flood_of_reasons_stays_bounded(tmp_path: Path) -> None:
    rows = (skip("s", f"reason_{number}", number, 0) for number in range(skip_tally.MOST_GROUPS + 50))
    write(tmp_path, paths.DISTILLATION_SKIPS, jsonl(*rows))
    tally = counted(tmp_path)
    assert len(tally.groups) == skip_tally.MOST_GROUPS + 1
    assert tally.groups["(more)", "(more)"].rows == 50


async def test_the_reason_with_the_most_rows_comes_first(tmp_path: Path) -> None:
    text = await seen(app_on(with_rows(tmp_path)), "S")
    assert "7 skips" in text
    assert text.index("filtered_out") < text.index("not_json")


async def test_an_example_opens_the_source_line(tmp_path: Path) -> None:
    app = app_on(with_rows(tmp_path))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "S", "end", "enter")
        screen = app.screen
        assert isinstance(screen, RowsScreen)
        assert screen.relative == "data/_kb/mint_runs.jsonl"
        assert screen.marked_row is not None
        assert screen.marked_row.head == b"not json at all"


async def test_an_example_whose_source_is_gone_opens_the_skip_itself(tmp_path: Path) -> None:
    root = with_rows(tmp_path)
    (root / "data/_kb/mint_runs.jsonl").unlink()
    app = app_on(root)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "S", "end", "enter")
        screen = app.screen
        assert isinstance(screen, RowsScreen)
        assert screen.relative == str(paths.DISTILLATION_SKIPS)
        assert screen.marked_row is not None
        assert b'"not_json"' in screen.marked_row.head


async def test_a_path_that_leaves_the_workspace_is_not_opened(tmp_path: Path) -> None:
    write(tmp_path, "outside.jsonl", "secret\n")
    row = skip("x", "y", 1, 0) | {"file": "../outside.jsonl"}
    write(tmp_path / "w", paths.DISTILLATION_SKIPS, jsonl(row))
    app = app_on(tmp_path / "w")
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "S", "end", "enter")
        screen = app.screen
        assert isinstance(screen, RowsScreen)
        assert screen.relative == str(paths.DISTILLATION_SKIPS)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "no run has written skips"), ("", "no line was skipped")]
)
async def test_no_skips_is_not_no_file(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        write(tmp_path, paths.DISTILLATION_SKIPS, content)
    app = app_on(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "S")
        assert isinstance(app.screen, SkipsScreen)
        assert words in text_of(app)
