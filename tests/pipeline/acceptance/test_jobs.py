"""Jobs run once, in order of need; runs start in stubs, end as they end, and say what they said."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.acceptance import engine_runs
from pipeline.acceptance.crash import CRASH_VARIABLE, POINTS
from pipeline.acceptance.engine_runs import environment, forked, interpreter, must_end_with
from pipeline.acceptance.jobs import Job, JobBoard, JobError
from pipeline.acceptance.temp_root import TempRoot, temp_root
from pipeline.contracts.faults import Fault, IntegrityError, StorageError
from pipeline.engine import commit_points

# Jobs

FAULT = Fault(code="broken", what_happened="it broke", kept_safe="all", do_next="look")


@pytest.fixture
def boards() -> Iterator[list[JobBoard]]:
    made: list[JobBoard] = []
    yield made
    for board in made:
        board.close()


def raising(error: BaseException) -> Job:
    def body() -> None:
        raise error

    return Job("fails", body)


def test_a_job_runs_once_in_another_process(boards: list[JobBoard], tmp_path: Path) -> None:
    def body() -> int:
        (tmp_path / f"ran-{os.getpid()}").touch()
        return os.getpid()

    boards.append(JobBoard([Job("one", body)]))
    pid = boards[0].result("one")
    assert boards[0].result("one") == pid != os.getpid()
    assert [path.name for path in tmp_path.iterdir()] == [f"ran-{pid}"]


def test_what_a_job_needs_runs_before_it(boards: list[JobBoard], tmp_path: Path) -> None:
    def note(name: str) -> Job:
        def body() -> list[str]:
            before = sorted(path.name for path in tmp_path.iterdir())
            (tmp_path / name).touch()
            return before

        return Job(name, body, after={"first": (), "second": ("first",), "third": ("second", "first")}[name])

    boards.append(JobBoard([note("third"), note("second"), note("first")], slots=3))
    assert boards[0].result("third") == ["first", "second"]


def test_two_jobs_run_side_by_side(boards: list[JobBoard]) -> None:
    reading, writing = os.pipe()
    jobs = [
        Job("reads", lambda: os.read(reading, 1).decode()),
        Job("writes", lambda: os.write(writing, b"x")),
    ]
    boards.append(JobBoard(jobs, slots=2))
    boards[0].want(["reads", "writes"])
    assert boards[0].result("reads") == "x"
    os.close(reading)
    os.close(writing)


def test_a_large_answer_comes_whole(boards: list[JobBoard]) -> None:
    boards.append(JobBoard([Job("large", lambda: "x" * 3_000_000)]))
    assert len(boards[0].result("large")) == 3_000_000


def test_a_broken_word_of_the_engine_is_raised_as_such(boards: list[JobBoard]) -> None:
    boards.append(JobBoard([raising(IntegrityError(FAULT))]))
    with pytest.raises(IntegrityError) as caught:
        boards[0].result("fails")
    assert caught.value.fault == FAULT


@pytest.mark.parametrize("error", [StorageError(FAULT), ValueError("it broke"), TimeoutError("it broke")])
def test_any_other_error_is_ours(boards: list[JobBoard], error: Exception) -> None:
    boards.append(JobBoard([raising(error)]))
    with pytest.raises(JobError, match="it broke"):
        boards[0].result("fails")


def test_what_needs_a_failed_job_fails_like_it_and_does_not_run(
    boards: list[JobBoard], tmp_path: Path
) -> None:
    after = Job("after", lambda: (tmp_path / "ran").touch(), after=("fails",))
    boards.append(JobBoard([raising(IntegrityError(FAULT)), after]))
    with pytest.raises(IntegrityError):
        boards[0].result("after")
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_is_killed_is_an_error(boards: list[JobBoard]) -> None:
    boards.append(JobBoard([Job("dies", lambda: os.kill(os.getpid(), signal.SIGKILL))]))
    with pytest.raises(JobError, match="died with -9"):
        boards[0].result("dies")


def test_closing_ends_what_still_runs(tmp_path: Path) -> None:
    reading, writing = os.pipe()

    def body() -> None:
        os.write(writing, b"%d" % os.getpid())
        time.sleep(300)

    board = JobBoard([Job("sleeps", body)])
    board.want(["sleeps"])
    pid = int(os.read(reading, 20))
    board.close()
    os.close(reading)
    os.close(writing)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# Runs


@pytest.fixture
def root(tmp_path: Path) -> Iterator[TempRoot]:
    with temp_root(tmp_path) as made:
        yield made


def test_the_operators_shell_does_not_decide(root: TempRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISTILL_WORKSPACE", "DISTILL_CRASH_AT", "LH_REPLAY_LOCAL_MODEL", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PYTHONPATH", "/the/engine/in/use")
    env = environment(root, {"TZ": "Asia/Kathmandu"})
    assert env["PYTHONPATH"] == "/the/engine/in/use"
    assert env["HOME"] == str(root.home)
    assert env["TZ"] == "Asia/Kathmandu"
    assert not {"DISTILL_WORKSPACE", "DISTILL_CRASH_AT", "LH_REPLAY_LOCAL_MODEL", "XDG_CONFIG_HOME"} & set(
        env
    )


def test_both_ways_to_run_say_and_end_the_same(root: TempRoot) -> None:
    argv = ["schema", "check", "--json"]
    started, fork = interpreter(root, "started", argv), forked(root, "fork", argv)
    assert started.exit_code == fork.exit_code == 0
    assert json.loads(started.stdout)["ok"] is json.loads(fork.stdout)["ok"] is True
    assert (root.said / "fork.out").read_bytes() == fork.stdout


def test_a_watched_interpreter_is_the_same_engine(root: TempRoot) -> None:
    ended = interpreter(root, "watched", ["schema", "check", "--json"], watched=True)
    assert json.loads(ended.stdout)["ok"] is True
    assert root.writes_log.read_text().startswith("watched ")


def test_a_fork_lives_in_stubs_and_is_watched(root: TempRoot, tmp_path: Path) -> None:
    def change() -> None:
        Path("here").write_text("")
        Path("~/there").expanduser().write_text("")
        (tmp_path / "outside").write_text("")

    forked(root, "writes", ["nothing"], change=change)
    assert (root.current_directory / "here").exists()
    assert (root.home / "there").exists()
    _, *seen = root.writes_log.read_text().splitlines()
    assert seen == [f"open {tmp_path / 'outside'}"]


def test_a_fork_that_raises_says_so(root: TempRoot) -> None:
    def change() -> None:
        raise ValueError("nothing works")

    ended = forked(root, "raises", ["schema", "check"], change=change)
    assert ended.exit_code == 70
    assert "ValueError: nothing works" in ended.narration


def test_a_killed_fork_is_told_from_one_that_ended(root: TempRoot) -> None:
    ended = forked(root, "dies", ["schema", "check"], change=lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert ended.exit_code == -signal.SIGKILL


def test_a_fork_that_hangs_is_ended(root: TempRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_runs, "TIME_LIMIT_SECONDS", 0.2)
    with pytest.raises(TimeoutError, match="hangs"):
        forked(root, "hangs", ["schema", "check"], change=lambda: time.sleep(300))


def test_a_run_that_ends_otherwise_broke_its_word(root: TempRoot) -> None:
    ended = forked(root, "usage", ["no-such-command"])
    assert must_end_with(ended, 2, "it") is ended
    with pytest.raises(IntegrityError, match="ended with 2, not 0"):
        must_end_with(ended, 0, "it")


def test_this_process_keeps_its_own_output(root: TempRoot, capfd: pytest.CaptureFixture[str]) -> None:
    forked(root, "said", ["schema", "check"])
    sys.stdout.write("mine\n")
    assert capfd.readouterr().out == "mine\n"


# The points at which A20 kills are the engine's own, all of them


def test_every_commit_point_is_tried_in_the_order_of_a_run() -> None:
    assert tuple(dict.fromkeys(point.split(":")[0] for point in POINTS)) == commit_points.NAMES
    assert CRASH_VARIABLE == commit_points.VARIABLE
