"""Rows: pages of any file, a text found, a row laid out, its lineage traced; nothing obeyed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.tui.screens.files import FilesScreen
from console.tui.screens.row import LineageScreen, RowScreen
from console.tui.screens.rows import RowsScreen
from pipeline.contracts import paths
from tests.console.apps import StillApp, text_of
from tests.console.row_workspaces import ID, jsonl, lineage_answer, sft, with_rows
from tests.console.screens.opened import app_on, press, seen
from tests.console.workspaces import write
from tests.console.written_engine import write_engine

SMALL, WIDE = (80, 24), (120, 40)
MANY = 5_000


def rows_screen(app: StillApp) -> RowsScreen:
    screen = app.screen
    assert isinstance(screen, RowsScreen)
    return screen


def many_rows(root: Path) -> Path:
    write(root, paths.SFT_EXPORT, jsonl(*(sft(number, context="") for number in range(MANY))))
    return root


def answering(root: Path, answer: str, exit_code: int = 0) -> Path:
    return write_engine(root, f"print({answer!r}); sys.exit({exit_code})")


async def test_every_file_of_rows_is_listed(tmp_path: Path) -> None:
    text = await seen(app_on(with_rows(tmp_path)), "D")
    for name in (
        paths.SFT_EXPORT,
        paths.SFT_QUARANTINE,
        paths.DISTILLATION_SKIPS,
        "data/evidence/mint_runs.jsonl",
    ):
        assert str(name) in text


async def test_a_workspace_without_rows_says_so(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "9")
        assert isinstance(app.screen, FilesScreen)
        assert "no files of rows yet" in text_of(app)


async def test_pages_go_through_the_whole_file_and_back(tmp_path: Path) -> None:
    app = app_on(many_rows(tmp_path))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "D", "enter")
        screen = rows_screen(app)
        assert "1 of 5,000" in text_of(app)
        await press(pilot, "pagedown")
        assert [screen.index.line_of(row.offset) for row in screen.page] == list(range(21, 41))
        await press(pilot, "end")
        assert "5,000 of 5,000" in text_of(app)
        assert "5000  accepted" in text_of(app), "a reference is copied: no separators"
        await press(pilot, "up", "pageup")
        assert [screen.index.line_of(row.offset) for row in screen.page] == list(range(4961, 4981))
        await press(pilot, "home")
        assert "1 of 5,000" in text_of(app)


async def test_moving_past_the_edge_of_a_page_brings_one_row(tmp_path: Path) -> None:
    app = app_on(many_rows(tmp_path))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "D", "enter", *["down"] * 20)
        screen = rows_screen(app)
        assert [screen.index.line_of(row.offset) for row in screen.page] == list(range(2, 22))
        await press(pilot, *["up"] * 20)
        assert "1 of 5,000" in text_of(app)


async def test_only_what_is_shown_is_held(tmp_path: Path) -> None:
    app = app_on(many_rows(tmp_path))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "D", "enter", "end", "home", "pagedown")
        assert len(rows_screen(app).page) == 20


async def test_a_text_is_found_forward_again_and_back(tmp_path: Path) -> None:
    app = app_on(many_rows(tmp_path))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "D", "enter", "slash", *"Question", "space", *"499", "enter")
        assert "500 of 5,000" in text_of(app)
        assert "/Question 499" in text_of(app)
        await press(pilot, "right_square_bracket")
        assert "4,991 of 5,000" in text_of(app)
        await press(pilot, "left_square_bracket")
        assert "500 of 5,000" in text_of(app)


async def test_a_text_that_is_not_there_leaves_the_mark_where_it_was(tmp_path: Path) -> None:
    text = await seen(app_on(many_rows(tmp_path)), "D", "enter", "down", "slash", *"zzz", "enter")
    assert "no further match for zzz" in text
    assert "2 of 5,000" in text


async def test_escape_leaves_the_search_line_first(tmp_path: Path) -> None:
    app = app_on(many_rows(tmp_path))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "D", "enter", "slash", "a", "escape")
        rows_screen(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, FilesScreen)


async def test_hostile_and_torn_rows_are_shown_not_obeyed(tmp_path: Path) -> None:
    text = await seen(app_on(with_rows(tmp_path)), "D", "enter", size=WIDE)
    assert "[red]\\x1b[2J\\u202eevil[/x]" in text
    assert "? torn" in text
    assert not {"\x1b", "\u202e"} & set(text)


async def test_a_growing_file_is_counted_on(tmp_path: Path) -> None:
    root = many_rows(tmp_path)
    app = app_on(root)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "D", "enter")
        with (root / paths.SFT_EXPORT).open("a") as more:
            more.write(jsonl(sft(7)))
        await press(pilot, "r", "end")
        assert "5,001 of 5,001" in text_of(app)


async def test_a_file_replaced_by_a_run_is_told_and_opened_anew(tmp_path: Path) -> None:
    root = many_rows(tmp_path)
    app = app_on(root)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "D", "enter")
        write(root, "new", jsonl(sft(1))).rename(root / paths.SFT_EXPORT)
        await press(pilot, "down")
        assert "this file was replaced" in text_of(app)
        assert "2 of 5,000" in text_of(app)
        await press(pilot, "r")
        assert "1 of 1" in text_of(app)


async def test_a_row_opens_folded_and_unfolds(tmp_path: Path) -> None:
    app = app_on(with_rows(tmp_path))
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "D", "enter", "enter")
        screen = app.screen
        assert isinstance(screen, RowScreen)
        assert "characters" in text_of(app)
        folded = len(screen.page_lines(110))
        await press(pilot, "plus")
        assert len(screen.page_lines(110)) > folded
        assert "Rows › exports/sft/instruction_response.jsonl:1" in text_of(app)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\xff\xfe not json", "? not JSON"),
        (b"[" * 50_000, "? not JSON: too deep"),
        (b'{"a": 1, "a": 2}', "repeats a key: a"),
        (b"", "? not JSON"),
        (b'"\\ud800"', "\\ud800"),
        (b'{"a\\u001b[2J": null}', "a\\x1b[2J"),
    ],
    ids=["no text", "deep", "repeated", "empty", "surrogate", "hostile key"],
)
async def test_a_row_of_any_bytes_can_be_opened(tmp_path: Path, raw: bytes, words: str) -> None:
    write(tmp_path, paths.SFT_EXPORT, raw + b"\n")
    text = await seen(app_on(tmp_path), "D", "enter", "enter")
    assert words in text


async def test_a_trace_goes_down_to_the_source_and_opens_it(tmp_path: Path) -> None:
    root = answering(with_rows(tmp_path), json.dumps(lineage_answer()))
    app = app_on(root)
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "D", "enter", "down", "down", "t")
        assert isinstance(app.screen, LineageScreen)
        text = text_of(app)
        assert (
            text.index("exports/sft")
            < text.index("scored-runs")
            < text.index("data/evidence")
            < text.index("_kb")
        )
        assert "whole" in text
        assert text.count("too_long") == 1
        assert "offset 0 · 12 bytes · sha256 equal" in text
        await press(pilot, *["down"] * 3, "enter")
        assert isinstance(app.screen, RowScreen)
        assert "data/_kb/mint_runs.jsonl:1" in text_of(app)
        assert "true" in text_of(app)


async def test_a_break_is_drawn_between_the_links_that_disagree(tmp_path: Path) -> None:
    broken = ("the row says ACCEPTED\x1b[2J, its scored run says REJECTED",)
    root = answering(with_rows(tmp_path), json.dumps(lineage_answer(broken=broken)), 1)
    text = await seen(app_on(root), "D", "enter", "down", "down", "t")
    assert "X 1 break" in text
    assert (
        text.index("exports/sft") < text.index("╳ the row says ACCEPTED\\x1b[2J") < text.index("scored-runs")
    )


async def test_an_engine_that_gives_no_answer_is_quoted(tmp_path: Path) -> None:
    root = write_engine(with_rows(tmp_path), "print('no such id', file=sys.stderr); sys.exit(3)")
    text = await seen(app_on(root), "D", "enter", "t")
    assert "? no chain" in text
    assert "no such id" in text


async def test_a_link_that_leaves_the_workspace_is_not_opened(tmp_path: Path) -> None:
    answer = lineage_answer()
    answer["row"]["file"] = "../../etc/passwd"
    root = answering(with_rows(tmp_path), json.dumps(answer))
    app = app_on(root)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "D", "enter", "t", "enter")
        assert isinstance(app.screen, LineageScreen)
        assert "cannot be read from here" in text_of(app)


async def test_what_a_trace_would_run_can_be_copied(tmp_path: Path) -> None:
    root = answering(with_rows(tmp_path), json.dumps(lineage_answer()))
    app = app_on(root)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "D", "enter", "down", "down", "y", "t", "c", "y")
    assert app.written == [ID, f"distill lineage -C {root} -- {ID}", ID]


async def test_a_screen_beneath_another_paints_nothing(tmp_path: Path) -> None:
    """Textual would paint the whole terminal again and again once such a screen is dirty."""
    app = app_on(with_rows(tmp_path))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "D", "enter")
        beneath = app.screen_stack[-2]
        assert (beneath.is_current, app.screen.is_current) == (False, True)
        await press(pilot, "colon")
        assert not rows_beneath(app).is_current
        await press(pilot, "escape")
        assert rows_screen(app).is_current


def rows_beneath(app: StillApp) -> RowsScreen:
    screen = app.screen_stack[-2]
    assert isinstance(screen, RowsScreen)
    return screen


async def test_a_log_that_no_stream_reads_is_listed_with_what_drafts_its_stream(tmp_path: Path) -> None:
    root = with_rows(tmp_path)
    (root / "data/_kb").mkdir(parents=True, exist_ok=True)
    (root / "data/_kb/z new log.jsonl").write_text("{}\n")
    app = app_on(root)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "D", "end")
        assert "read by no stream" in text_of(app)
        assert isinstance(app.screen, FilesScreen)
        assert app.screen.marked == "data/_kb/z new log.jsonl"
        wanted = f"distill -C {root} streams suggest 'data/_kb/z new log.jsonl'"
        assert app.screen.command_to_copy() == wanted
        await press(pilot, "home")
        assert app.screen.command_to_copy() is None
