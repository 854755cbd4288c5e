"""How many attempts of a task passed: what counts, and what each row says of it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.contracts import paths
from pipeline.engine.chunk_entries import CATEGORY_CODE, LineEntry, RowEntry
from pipeline.engine.chunk_index import ChunkIndex
from pipeline.engine.pass_rate import PassRate, PassRateCounter, PassRates, members, rate_of
from pipeline.engine.row_marks import RowMarks
from pipeline.engine.spool import Spool
from tests.pipeline.engine.workspaces import encoded, engine, flat_line, make_workspace, rows, run_all


def test_a_task_of_one_judged_run_is_not_kept_and_known_all_the_same() -> None:
    tasks = ("one", "three", "three", "three", "none", "none", "three")
    verdicts = ["accepted", "accepted", "rejected", "partially_accepted", "rejected", "rejected"]
    verdicts += ["needs_human_review"]
    rows = [
        RowEntry(str(number), task, 0, CATEGORY_CODE[verdict], 0.0, (1, 1, 0, 0), bytes(64), key(task))
        for number, (task, verdict) in enumerate(zip(tasks, verdicts, strict=True))
    ]
    lines = [LineEntry(1, 0, bytes(32), rows)]
    index = ChunkIndex.made_of([b""] * 4, lines_read=1, lines=lines, skips=[], counts={})
    counter = PassRateCounter(Spool(None))
    counter.add(4, index, range(len(rows)))
    rates: PassRates = RowMarks()
    assert set().union(*counter.take(rates)) == {key("one"), key("three")}
    assert set(rates) == {(4, row) for row, task in enumerate(tasks) if task != "one"}
    for row in (1, 2, 3, 6):  # a run in review is not counted, and told all the same
        assert rate_of(rates, (4, row), is_accepted=False) == PassRate(3, 1)
    assert rate_of(rates, (4, 0), is_accepted=True) == PassRate(1, 1)
    assert rate_of(rates, (4, 0), is_accepted=False) == PassRate(1, 0)


def key(task: str) -> bytes:
    return task.encode().ljust(16)


def test_the_members_are_json_between_other_members() -> None:
    assert orjson.loads(b'{"a":1%s}' % members(PassRate(12, 7))) == {"a": 1, "attempts": 12, "passed": 7}


def test_each_row_says_how_many_judged_runs_of_its_task_were_accepted(ran: Path) -> None:
    judged: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    for stream in ("runs", "chats"):
        for row in rows(ran, paths.scored_file(stream)):
            if row["category"] != "needs_human_review":
                judged[stream, row["task_id"]].append(row["category"] == "accepted")
    seen: set[tuple[int, int]] = set()
    for export in (paths.SFT_EXPORT, paths.PREFERENCE_EXPORT):
        for row in rows(ran, export):
            runs = judged[row["stream"], row["task_id"]]
            assert (row["attempts"], row["passed"]) == (len(runs), sum(runs))
            seen.add((row["attempts"], row["passed"]))
    assert len(seen) > 2


@pytest.mark.parametrize("arguments", [("--chunk-bytes", "1024"), ("--workers", "2")])
def test_the_bytes_do_not_depend_on_how_the_work_was_divided(
    ran: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    other = make_workspace(tmp_path / "w")
    if arguments[0] == "--chunk-bytes":
        settings = other / paths.SETTINGS
        settings.write_text(f"[engine]\nchunk_bytes = {arguments[1]}\n{settings.read_text()}")
        arguments = ()
    run_all(other, *arguments)
    for export in paths.EXPORT_FILES.values():
        assert (other / export).read_bytes() == (ran / export).read_bytes()


def test_export_alone_writes_what_run_all_wrote(workspace: Path) -> None:
    before = {export: (workspace / export).read_bytes() for export in paths.EXPORT_FILES.values()}
    for export in before:
        (workspace / export).unlink()
    done = engine(workspace, "export", "--recorded-at", "2026-01-01T00:00:00Z")
    assert done.returncode == 0, done.stderr
    assert {export: (workspace / export).read_bytes() for export in before} == before


def test_another_attempt_rewrites_the_rows_of_its_task_alone(tmp_path: Path) -> None:
    """The rows are those of the cached chunks; only what they say of the task changes."""
    workspace = make_workspace(tmp_path / "w", {"runs-a.jsonl": encoded([flat_line(n) for n in range(20)])})
    run_all(workspace)
    before = {row["id"]: row for row in rows(workspace, paths.SFT_EXPORT)}
    more = flat_line(3) | {"said": "a further answer that is right.", "reward": 1.0}
    (workspace / "data/_kb/runs-b.jsonl").write_bytes(encoded([more]))
    run_all(workspace)
    changed = {
        row["task_id"]
        for row in rows(workspace, paths.SFT_EXPORT)
        if row["id"] in before and row != before[row["id"]]
    }
    assert changed == {"t0"}
    assert {(row["attempts"], row["passed"]) for row in _of_task(workspace, "t0")} == {(6, 3)}


def test_a_task_of_which_none_passed_gives_no_pair(tmp_path: Path) -> None:
    lines = [flat_line(n) | {"reward": reward} for n, reward in enumerate((0.6, 0.0, 0.6, 0.2, 0.0))]
    other = [
        flat_line(n) | {"reward": reward} for n, reward in zip(range(5, 8), (0.6, 0.0, 1.0), strict=True)
    ]
    workspace = make_workspace(tmp_path / "w", {"runs-a.jsonl": encoded([*lines, *other])})
    run_all(workspace)
    pairs = rows(workspace, paths.PREFERENCE_EXPORT)
    assert {row["task_id"] for row in pairs} == {"t1"}
    refused = rows(workspace, paths.PREFERENCE_QUARANTINE)
    reasons = {row["reason"] for row in refused if row["task_id"] == "t0"}
    assert "none_passed" in reasons
    assert "none_passed" not in {row["reason"] for row in refused if row["task_id"] == "t1"}


def _of_task(workspace: Path, task: str) -> list[dict[str, Any]]:
    return [row for row in rows(workspace, paths.SFT_EXPORT) if row["task_id"] == task]
