"""Runs start in stubs, end as they end, and say what they said."""

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
from pipeline.acceptance.engine_runs import environment, forked, interpreter, must_end_with
from pipeline.acceptance.temp_root import TempRoot, temp_root
from pipeline.contracts.faults import IntegrityError


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
    assert (root.said / "fork.out").read_text() == fork.stdout


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
    assert "ValueError: nothing works" in ended.stderr


def test_a_killed_fork_is_told_from_one_that_ended(root: TempRoot) -> None:
    ended = forked(root, "dies", ["schema", "check"], change=lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert ended.was_killed


def test_a_fork_that_hangs_is_ended(root: TempRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_runs, "TIME_LIMIT_SECONDS", 0.2)
    started = time.monotonic()
    with pytest.raises(TimeoutError, match="hangs"):
        forked(root, "hangs", ["schema", "check"], change=lambda: time.sleep(300))
    assert time.monotonic() - started < 30


def test_a_run_that_ends_otherwise_broke_its_word(root: TempRoot) -> None:
    ended = forked(root, "usage", ["no-such-command"])
    assert must_end_with(ended, 2, "it") is ended
    with pytest.raises(IntegrityError, match="ended with 2, not 0"):
        must_end_with(ended, 0, "it")


def test_this_process_keeps_its_own_output(root: TempRoot, capfd: pytest.CaptureFixture[str]) -> None:
    forked(root, "said", ["schema", "check"])
    sys.stdout.write("mine\n")
    assert capfd.readouterr().out == "mine\n"
