"""Which run the audit holds outputs to, and that its events tell the same story."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pipeline.audit.claims import last_run
from pipeline.audit.run_story import story_problems
from pipeline.contracts import paths
from tests.pipeline.audit.audited import run_folder


def summary(root: Path, pipeline_run_id: str, content: bytes) -> str:
    path = root / paths.summary_file(pipeline_run_id)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return pipeline_run_id


@pytest.mark.parametrize(
    ("newest", "is_chosen"),
    [(b'{"ok":false}', False), (b'{"ok":true}', True), (b"{}", True), (b"damaged", True)],
)
def test_without_a_state_the_newest_run_that_did_not_fail_counts(
    tmp_path: Path, newest: bytes, is_chosen: bool
) -> None:
    older = summary(tmp_path, "20260101T000000Z-0001", b'{"ok":true}')
    later = summary(tmp_path, "20260102T000000Z-0002", newest)
    assert last_run(tmp_path).pipeline_run_id == (later if is_chosen else older)


@pytest.mark.parametrize(
    ("event", "name", "value", "said"),
    [
        ("run.started", "command", "export", "are not those of the run's first event"),
        ("run.started", "workers", 63, "are not those of the run's first event"),
        ("run.finished", "elapsed_seconds", 1e6, "are not those of the run's last event"),
    ],
)
def test_events_that_tell_another_story_than_the_summary_are_named(
    workspace: Path, event: str, name: str, value: object, said: str
) -> None:
    folder = run_folder(workspace)
    claimed = orjson.loads((folder / "summary.json").read_bytes())
    assert list(story_problems(workspace, claimed, {})) == []
    lines = [orjson.loads(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]
    told = [{**line, name: value} if line["type"] == event else line for line in lines]
    assert told != lines
    (folder / "events.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in told))
    assert [said in problem for problem in story_problems(workspace, claimed, {})] == [True]
