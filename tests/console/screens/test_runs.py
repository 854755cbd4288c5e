"""Runs: what each left behind, and where two of them part."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from console.reading.run_compare import compare, read_run
from console.state.view_state import ViewState
from console.tui.screens.runs import ComparePage, RunPage, RunsScreen
from pipeline.contracts import paths
from pipeline.contracts.status import LockStatus
from pipeline.reading.past_runs import RunReports
from pipeline.reading.report_files import Notes
from pipeline.reading.run_rows import run_rows
from tests.console import states
from tests.console.apps import text_of
from tests.console.screens.opened import app_on, press, seen
from tests.console.workspaces import FINISHED, RUN_ID, add_run, workspace_after_a_run, write

SMALL = (80, 24)
LATER = "20260427T070000Z-aa01"


def two_runs(root: Path) -> Path:
    """The second run gave more evidence, of which one more row was accepted."""
    workspace_after_a_run(root)
    write(root, paths.evidence_file("taubench"), '{"run_id": "a"}\n' * 11)
    later = FINISHED + timedelta(hours=1)
    add_run(root, counts={"evidence": 11, "accepted": 5}, run_id=LATER, finished=later)
    return root


def state_of(root: Path) -> ViewState:
    reports, notes = RunReports(root), Notes()
    rows = run_rows(reports, reports.run_ids(notes), LockStatus(), notes)
    return replace(states.healthy(), runs=rows)


def rewrite(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))


def test_the_first_difference_of_each_stage_is_named(tmp_path: Path) -> None:
    root = two_runs(tmp_path)
    comparison = compare(read_run(root, RUN_ID), read_run(root, LATER))
    assert ("evidence", 10, 11) in comparison.counts
    assert ("lines", 12, 12) in comparison.counts
    materialize, score, export = comparison.stages
    assert materialize.inputs is None
    assert materialize.outputs is not None
    assert materialize.outputs.path == str(paths.evidence_file("taubench"))
    assert ("rows", "10", "11") in materialize.outputs.what
    assert (score.inputs is not None, score.outputs) == (True, None)
    assert (export.inputs, export.outputs) == (None, None)


def test_rows_that_differ_in_their_time_stamp_alone_are_the_same(tmp_path: Path) -> None:
    root = two_runs(tmp_path)
    for run_id, sha in ((RUN_ID, "a" * 64), (LATER, "b" * 64)):
        claim = {"path": "x", "bytes": 9, "rows": 1, "sha256": sha, "rows_digest": "c" * 64}
        rewrite(root / paths.receipts_folder(run_id) / "materialize.json", inputs=[], outputs=[claim])
    stage, *_ = compare(read_run(root, RUN_ID), read_run(root, LATER)).stages
    assert (stage.inputs, stage.outputs) == (None, None)


def test_a_file_that_only_one_run_has_is_a_difference(tmp_path: Path) -> None:
    root = two_runs(tmp_path)
    rewrite(root / paths.receipts_folder(LATER) / "score.json", outputs=[])
    score = compare(read_run(root, RUN_ID), read_run(root, LATER)).stages[1]
    assert score.outputs is not None
    assert score.outputs.what == (("there", "yes", "no"),)


async def test_a_run_opens_with_its_receipts(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    app = app_on(root, state=state_of(root))
    async with app.run_test(size=(120, 60)) as pilot:
        await press(pilot, "R", "enter")
        assert isinstance(app.screen, RunPage)
        text = text_of(app)
    for words in (
        "P2 materialize",
        "P3 score",
        "P4 export",
        "as in the summary",
        "lines 12 = mapped 10 + joined 1",
    ):
        assert words in text


async def test_a_receipt_that_was_changed_is_told(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    rewrite(root / paths.receipts_folder(RUN_ID) / "score.json", elapsed_seconds=9)
    text = await seen(app_on(root, state=state_of(root)), "R", "enter", size=(120, 60))
    assert "X differs from the summary" in text


async def test_two_runs_are_chosen_with_space_and_compared(tmp_path: Path) -> None:
    root = two_runs(tmp_path)
    app = app_on(root, state=state_of(root))
    async with app.run_test(size=(120, 60)) as pilot:
        await press(pilot, "R", "space", "down", "space", "enter")
        assert isinstance(app.screen, ComparePage)
        text = text_of(app)
    assert text.index(LATER) < text.index(RUN_ID)
    assert "FIRST DIFFERENCE OF EACH STAGE" in text
    assert "rows 11 → 10" in text


async def test_a_third_choice_takes_the_place_of_the_older(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "R", "space", "down", "space", "down", "space")
        screen = app.screen
        assert isinstance(screen, RunsScreen)
        runs = [run.pipeline_run_id for run in app.state.runs]
        assert screen.chosen == [runs[1], runs[2]]
        await press(pilot, "space")
        assert screen.chosen == [runs[1]]


async def test_a_garbage_run_is_opened_and_says_what_it_is(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    write(root, paths.summary_file(RUN_ID), b"\xff garbage")
    app = app_on(root, state=state_of(root))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "R")
        assert "no end" in text_of(app)
        await press(pilot, "enter")
        assert "left no summary" in text_of(app)


async def test_without_runs_the_list_says_so(tmp_path: Path) -> None:
    text = await seen(app_on(tmp_path, state=states.empty()), "8")
    assert "? never  no run has a report here" in text
