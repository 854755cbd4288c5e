"""Jobs run once, in order of need, side by side, and fail for those who ask."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.acceptance.jobs import Job, JobBoard, JobError
from pipeline.contracts.faults import Fault, IntegrityError, StorageError

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
