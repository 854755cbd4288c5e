"""Engines started as jobs of their own, and the run that is asked to stop."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.control.jobs import JOBS_KEPT, Job, cancel_run, job_argv, start_job, tail_lines
from pipeline.contracts import paths
from pipeline.contracts.faults import InputError, SettingsError, StorageError
from tests.console.written_engine import write_engine
from tests.waiting import LIMIT_SECONDS


def finish(job: Job) -> int:
    code = job.process.wait(LIMIT_SECONDS)
    assert code is not None
    return code


def test_a_job_is_the_engine_in_a_session_of_its_own(tmp_path: Path) -> None:
    root = write_engine(tmp_path, "print(os.getsid(0) == os.getpid(), os.getcwd(), sys.stdin.read() == '')")
    job = start_job(root, ["run-all"])
    assert finish(job) == 0
    assert job.log.read_text().split() == ["True", str(root), "True"]
    assert job.command == "run-all"


def test_what_a_job_writes_is_for_its_owner_only(tmp_path: Path) -> None:
    root = write_engine(tmp_path, "print('out'); print('err', file=sys.stderr)")
    previous = os.umask(0)
    try:
        job = start_job(root, ["run-all"])
    finally:
        os.umask(previous)
    finish(job)
    assert sorted(job.log.read_text().split()) == ["err", "out"]
    assert stat.S_IMODE(job.log.stat().st_mode) == 0o600
    assert stat.S_IMODE(job.log.parent.stat().st_mode) == 0o700


def test_the_command_comes_first_and_the_workspace_is_named() -> None:
    argv = job_argv(Path("/w"), ["score", "--dry-run"], Path("/w/e"))
    assert argv[argv.index("-m") :] == [
        *("-m", "pipeline", "score"),
        *("-C", "/w", "--events", "/w/e", "--dry-run"),
    ]


def test_a_job_outlives_whoever_started_it(tmp_path: Path) -> None:
    root = write_engine(tmp_path, "wait_for('go'); open(f'{root}/done', 'w').write(str(os.getppid()))")
    os.mkfifo(root / "done")  # reading it waits for the job, without a clock
    starter = os.fork()
    if starter == 0:
        start_job(root, ["run-all"])
        os._exit(0)
    os.waitpid(starter, 0)
    (root / "go").touch()
    assert int((root / "done").read_text()) != starter


def test_a_refused_engine_starts_nothing(tmp_path: Path) -> None:
    root = write_engine(tmp_path / "w", "")
    (root / "pipeline").rename(tmp_path / "elsewhere")
    (root / "pipeline").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError):
        start_job(root, ["run-all"])
    assert not (root / paths.JOBS).exists()


def test_a_job_folder_that_cannot_be_made_starts_nothing(tmp_path: Path) -> None:
    root = write_engine(tmp_path, "")
    (root / ".distill").write_text("a file in its place")
    with pytest.raises(StorageError) as refused:
        start_job(root, ["run-all"])
    assert refused.value.fault.kept_safe == "Nothing was started."


def test_old_job_files_are_dropped(tmp_path: Path) -> None:
    root = write_engine(tmp_path, "")
    folder = root / paths.JOBS
    folder.mkdir(parents=True)
    for number in range(JOBS_KEPT + 5):
        (folder / f"20200101T0000{number:02d}Z-aaaa.log").touch()
        (folder / f"20200101T0000{number:02d}Z-aaaa.events.jsonl").touch()
    finish(start_job(root, ["run-all"]))
    logs = sorted(path.name for path in folder.glob("*.log"))
    assert len(logs) == JOBS_KEPT
    assert logs[0] == "20200101T000006Z-aaaa.log"
    assert len(list(folder.glob("*.events.jsonl"))) == JOBS_KEPT


def test_the_end_of_a_log_is_shown_without_its_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 100_000 + b"\nfirst\n\n\x1b[31mred\xff\n")
    assert tail_lines(path, 2) == ("first", "\\x1b[31mred\N{REPLACEMENT CHARACTER}")
    assert tail_lines(tmp_path / "nothing") == ()


# Cancelling

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
        job.process.wait(LIMIT_SECONDS)


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
    assert job.process.wait(LIMIT_SECONDS) == 143


def test_without_a_held_lock_nothing_is_signalled(tmp_path: Path, started: list[Job]) -> None:
    job = holding(tmp_path, started)
    os.kill(job.pid, signal.SIGKILL)
    job.process.wait(LIMIT_SECONDS)
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
