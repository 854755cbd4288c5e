"""The event stream of a command that runs checks begins and ends properly, whatever happens."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pipeline.checks.session import CheckSession, check_session
from pipeline.contracts.faults import Fault, StorageError
from pipeline.engine.event_writer import EventWriter
from pipeline.engine.run_session import Request

FILE = PurePosixPath("reports/distillation/x-events.jsonl")


def events_of(workspace: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (workspace / FILE).read_bytes().splitlines()]


def run(workspace: Path, error: BaseException | None = None, exit_code: int = 0) -> CheckSession:
    request = Request("audit-full", ("audit-full",), "2026-01-01T00:00:00Z", EventWriter(), "installed")
    with check_session(workspace, FILE, request, ("P0",)) as session:
        if error is not None:
            raise error
        session.exit_code, session.run_hash = exit_code, "ab"
    return session


def test_the_first_event_is_the_start_and_the_last_the_end(tmp_path: Path) -> None:
    session = run(tmp_path)
    started, finished = events_of(tmp_path)
    assert (started["type"], started["command"]) == ("run.started", "audit-full")
    assert started["pipeline_run_id"] == session.audit_id
    assert (finished["type"], finished["ok"], finished["exit_code"]) == ("run.finished", True, 0)
    assert finished["run_hash"] == "ab"


def test_a_second_command_replaces_the_events_of_the_first(tmp_path: Path) -> None:
    run(tmp_path)
    run(tmp_path, exit_code=1)
    events = events_of(tmp_path)
    assert [event["seq"] for event in events] == [1, 2]
    assert (events[-1]["ok"], events[-1]["exit_code"]) == (False, 1)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StorageError(Fault("disk_full", "Full.", "All.", "Free some.")), 3),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("a bug"), 3),
    ],
)
def test_a_command_that_raises_still_tells_its_end(tmp_path: Path, error: BaseException, code: int) -> None:
    with pytest.raises(type(error)):
        run(tmp_path, error)
    finished = events_of(tmp_path)[-1]
    assert (finished["type"], finished["ok"], finished["exit_code"]) == ("run.finished", False, code)


def test_events_that_cannot_be_written_are_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "reports").write_bytes(b"")
    with pytest.raises(StorageError):
        run(tmp_path)
