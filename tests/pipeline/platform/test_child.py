"""Waiting for a child leaves its exit code to whoever takes it, also where the kernel has no descriptor."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.platform.child import ends_within, is_over, pidfd
from tests.waiting import LIMIT_SECONDS


@pytest.fixture(params=["with a descriptor", "without one", "on an old kernel"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    def none(_pid: int) -> int:
        raise OSError(24, "Too many open files")

    if request.param == "without one":
        monkeypatch.setattr("pipeline.platform.child.os.pidfd_open", none)
    elif request.param == "on an old kernel":
        monkeypatch.delattr("pipeline.platform.child.os.pidfd_open")
    return str(request.param)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process: Any = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def test_one_that_goes_on_is_waited_for_as_long_as_was_said(
    way: str, sleeper: subprocess.Popen[bytes]
) -> None:
    began = time.monotonic()
    assert ends_within(sleeper.pid, 0.2) is False
    assert time.monotonic() - began >= 0.2
    assert is_over(sleeper.pid) is False


def test_one_that_ended_is_told_at_once_and_its_code_is_still_there(
    way: str, sleeper: subprocess.Popen[bytes]
) -> None:
    sleeper.kill()
    assert ends_within(sleeper.pid, LIMIT_SECONDS) is True
    assert is_over(sleeper.pid) is True
    assert ends_within(sleeper.pid, 0.0) is True
    assert sleeper.wait() == -9


def test_one_that_somebody_has_taken_is_over(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    sleeper.wait()
    assert is_over(sleeper.pid) is True


def test_the_descriptor_is_closed_again(sleeper: subprocess.Popen[bytes]) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pidfd(sleeper.pid) as descriptor:
        assert descriptor is not None
    assert len(list(Path("/proc/self/fd").iterdir())) == before
