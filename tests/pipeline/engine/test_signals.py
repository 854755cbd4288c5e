"""SIGTERM and SIGINT: the run ends at a safe point, says so, and the next one completes."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.discovery import engine_argv
from pipeline.platform import lock
from tests.pipeline.engine.workspaces import (
    RECORDED_AT,
    encoded,
    flat_line,
    make_workspace,
    output_bytes,
    run_all,
)
from tests.waiting import LIMIT_SECONDS
from tests.warm_processes import COLD_VARIABLE

CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}


def _more_lines(workspace: Path) -> None:
    """Enough lines that a run cannot end between its first event and the signal."""
    with (workspace / paths.KNOWLEDGE_BASE / "runs-b.jsonl").open("ab") as file:
        file.write(encoded([flat_line(number) for number in range(1000, 5000)]))


def _started(workspace: Path, *options: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *engine_argv(["run-all", "--events", "-", "--recorded-at", RECORDED_AT, *options]),
            "-C",
            str(workspace),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
        env={**os.environ, **environment},
    )


def _wait_for_a_chunk(run: subprocess.Popen[bytes]) -> None:
    """Until the first chunk is done: the workers are there, and most of the work is not."""
    assert run.stdout is not None
    for line in run.stdout:
        if json.loads(line).get("chunks_done"):
            return
    raise AssertionError("the run ended before its first chunk")


def _events(workspace: Path) -> list[dict[str, Any]]:
    newest = max((workspace / paths.REPORTS).iterdir(), key=lambda path: path.stat().st_mtime_ns)
    return [json.loads(line) for line in (newest / "events.jsonl").read_bytes().splitlines()]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, bytes]]:
    """What a run over all lines comes to when nothing stops it."""
    workspace = make_workspace(tmp_path_factory.mktemp("straight") / "w")
    _more_lines(workspace)
    return run_all(workspace)["run_hash"], output_bytes(workspace)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("to_group", [False, True], ids=["engine alone", "whole group"])
@pytest.mark.parametrize("number", CODES)
def test_a_run_that_is_asked_to_stop_stops_at_a_safe_point(
    tmp_path: Path,
    ran: Path,
    straight: tuple[str, dict[str, bytes]],
    number: signal.Signals,
    workers: str,
    *,
    to_group: bool,
) -> None:
    workspace = tmp_path / "w"
    shutil.copytree(ran, workspace)
    last_good = output_bytes(workspace)
    _more_lines(workspace)
    with _started(workspace, "--workers", workers, "--chunk-bytes", "16KiB") as run:
        _wait_for_a_chunk(run)
        (os.killpg if to_group else os.kill)(run.pid, number)
        _, stderr = run.communicate(timeout=LIMIT_SECONDS)
    assert run.returncode == CODES[number]
    assert b"stopped at a safe point" in stderr
    assert output_bytes(workspace) == last_good
    last = _events(workspace)[-1]
    assert (last["type"], last["ok"], last["exit_code"]) == ("run.finished", False, CODES[number])
    assert not lock.is_held(workspace)
    assert not (workspace / paths.INTENT).exists()
    assert list((workspace / paths.STAGING).glob("*")) == []
    assert run_all(workspace)["run_hash"] == straight[0]
    assert output_bytes(workspace) == straight[1]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_over_a_file_as_long_as_the_disk_obeys_at_once(tmp_path: Path, ran: Path, workers: str) -> None:
    workspace = tmp_path / "w"
    shutil.copytree(ran, workspace)
    with (workspace / paths.KNOWLEDGE_BASE / "runs-b.jsonl").open("ab") as file:
        file.truncate(2**40)  # one line that nobody reads to its end while a test runs
    with _started(workspace, "--workers", workers) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if json.loads(line)["type"] == "stage.progress":  # the first one comes before the first line
                break
        run.send_signal(signal.SIGTERM)
        _, stderr = run.communicate(timeout=LIMIT_SECONDS)
    assert run.returncode == 143
    assert b"stopped at a safe point" in stderr
    assert not lock.is_held(workspace)


def test_no_worker_outlives_a_run_that_was_killed_alone(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    _more_lines(workspace)
    # Really started: whoever is forked from a warm process has another child beside its own.
    with _started(workspace, "--workers", "2", "--chunk-bytes", "16KiB", **{COLD_VARIABLE: "1"}) as run:
        _wait_for_a_chunk(run)
        workers = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        watched = [os.pidfd_open(int(pid)) for pid in workers]
        run.kill()
        run.communicate(timeout=LIMIT_SECONDS)
    assert len(watched) == 2
    for descriptor in watched:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        assert poll.poll(LIMIT_SECONDS * 1000), "a worker lives on"
        os.close(descriptor)
    assert not lock.is_held(workspace)


def test_a_run_whose_reader_went_away_goes_on(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with _started(workspace) as run:
        _wait_for_a_chunk(run)
        assert run.stdout is not None
        run.stdout.close()
        assert run.wait(LIMIT_SECONDS) == 0
    assert _events(workspace)[-1]["ok"] is True
    assert output_bytes(workspace).keys() >= {str(paths.SFT_EXPORT)}
