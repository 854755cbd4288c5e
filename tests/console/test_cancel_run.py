from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.control.jobs import Job, cancel_run, start_job
from pipeline.contracts.faults import InputError
from tests.console.written_engine import write_engine

RUN_ID = "20260427T060000Z-9f31"
HOLD = """
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
lock = hold_lock({changes})
open(f"{{root}}/ready", "w").close()
wait_for("never")
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Job]]:
    jobs: list[Job] = []
    yield jobs
    for job in jobs:
        if job.poll() is None:
            os.kill(job.pid, signal.SIGKILL)
        job.process.wait(30)


def holding(root: Path, started: list[Job], changes: str = "") -> Job:
    job = start_job(write_engine(root, HOLD.format(changes=changes)), ["run-all"])
    started.append(job)
    while not (root / "ready").exists():
        assert job.poll() is None, job.stderr_tail()
        os.sched_yield()
    return job


def test_the_run_that_holds_the_lock_is_asked_to_stop(tmp_path: Path, started: list[Job]) -> None:
    job = holding(tmp_path, started)
    lock = cancel_run(tmp_path, RUN_ID)
    assert lock.pid == job.pid
    assert job.process.wait(30) == 143


def test_without_a_held_lock_nothing_is_signalled(tmp_path: Path, started: list[Job]) -> None:
    job = holding(tmp_path, started)
    os.kill(job.pid, signal.SIGKILL)
    job.process.wait(30)
    with pytest.raises(InputError, match="No run holds the workspace"):
        cancel_run(tmp_path, RUN_ID)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ("pipeline_run_id='20260427T070000Z-aaaa'", "another_run"),
        ("host='elsewhere'", "run_elsewhere"),
        ("pid=2**22 - 1", "no_such_process"),
    ],
)
def test_a_run_that_is_not_the_one_meant_is_left_alone(
    tmp_path: Path, started: list[Job], changes: str, code: str
) -> None:
    job = holding(tmp_path, started, changes)
    with pytest.raises(InputError) as refused:
        cancel_run(tmp_path, RUN_ID)
    assert refused.value.fault.code == code
    assert job.poll() is None


def test_a_process_younger_than_the_lock_is_not_its_holder(tmp_path: Path, started: list[Job]) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        holding(tmp_path, started, f"pid={bystander.pid}, since='2020-01-01T00:00:00Z'")
        with pytest.raises(InputError) as refused:
            cancel_run(tmp_path, RUN_ID)
        assert refused.value.fault.code == "not_the_holder"
        assert bystander.poll() is None
    finally:
        bystander.send_signal(signal.SIGKILL)
        bystander.wait()
