from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from console.control.jobs import JOBS_KEPT, Job, job_argv, start_job, tail_lines
from pipeline.contracts import paths
from pipeline.contracts.faults import SettingsError, StorageError
from tests.console.written_engine import write_engine

WAIT_SECONDS = 30


def finish(job: Job) -> int:
    code = job.process.wait(WAIT_SECONDS)
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
