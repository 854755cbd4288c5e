"""A prepared firewall answers as one that is started, each time as a process of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.contracts.discovery import firewall_environment
from pipeline.platform import prepared_firewall
from pipeline.platform.firewall import Unknown, ask_firewall
from pipeline.platform.prepared_firewall import asked, many_questions
from pipeline.platform.process import Running
from tests.pipeline.firewall.corpus import honest
from tests.waiting import wait_until

HANGS = ("--json", "--watch", "--events", "-")


@pytest.fixture
def prepared() -> Iterator[None]:
    with many_questions():
        yield


def _children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _prepared_process() -> int:
    """The one child of ours that runs the prepared firewall."""
    (found,) = [
        pid
        for pid in _children_of(os.getpid())
        if prepared_firewall.MODULE in Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    ]
    return found


def _question(*arguments: str, limit_seconds: float = 60.0) -> Running:
    running = asked(arguments, limit_seconds=limit_seconds, cwd="/", env=firewall_environment())
    assert running is not None
    return running


def test_it_says_what_a_started_one_says(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    started = [ask_firewall(tmp_path)]
    with many_questions():
        answers = [ask_firewall(tmp_path)]
        corpus.export(runs["bad"].row())
        answers.append(ask_firewall(tmp_path))
        corpus.sft.unlink()
        answers.append(ask_firewall(tmp_path))
    started.append(ask_firewall(tmp_path))
    assert [answer.state for answer in answers] == ["CLEAR", "BREACH", "ABSENT"]
    assert [answers[0].report.rows_read, answers[2].state] == [started[0].report.rows_read, started[1].state]
    assert answers[0].report.sha256 == started[0].report.sha256


@pytest.mark.usefixtures("prepared")
def test_each_question_is_a_process_with_arguments_directory_and_environment_of_its_own(
    tmp_path: Path,
) -> None:
    _, _ = honest(tmp_path)
    here = asked(("--json",), limit_seconds=60, cwd=tmp_path, env=firewall_environment())
    named = {**firewall_environment(), "DISTILL_WORKSPACE": str(tmp_path)}
    there = asked(("--json",), limit_seconds=60, cwd="/", env=named)
    nowhere = asked(("--json",), limit_seconds=60, cwd="/", env=firewall_environment({"HOME": "/"}))
    wrong = asked(("--no-such-option",), limit_seconds=60, cwd="/", env=named)
    ended = [running.wait() for running in (here, there, nowhere, wrong) if running is not None]
    assert [each.exit_code for each in ended] == [0, 0, 2, 2]
    assert [b"CLEAR" in each.stdout for each in ended] == [True, True, False, False]
    assert b"No workspace here" in ended[2].stderr
    assert b"--no-such-option" in ended[3].stderr
    assert all(each.processor_seconds > 0 for each in ended)


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("how", ["the time is up", "it is abandoned"])
def test_one_that_is_not_wanted_any_more_is_killed(how: str, tmp_path: Path) -> None:
    _, _ = honest(tmp_path)
    running = _question("-C", str(tmp_path), *HANGS, limit_seconds=0.2)
    (fork,) = _children_of(_prepared_process())
    if how == "the time is up":
        ended = running.wait()
        assert (ended.exit_code, ended.timed_out) == (None, True)
    else:
        running.end()
    wait_until(lambda: not Path(f"/proc/{fork}").exists(), "the end of the fork")
    assert ask_firewall(tmp_path).state == "CLEAR"


@pytest.mark.usefixtures("prepared")
def test_one_that_somebody_kills_has_not_answered(tmp_path: Path) -> None:
    _, _ = honest(tmp_path)
    running = _question("-C", str(tmp_path), *HANGS)
    (fork,) = _children_of(_prepared_process())
    os.kill(fork, signal.SIGKILL)
    assert running.wait().exit_code == -signal.SIGKILL


@pytest.mark.usefixtures("prepared")
def test_where_the_prepared_one_is_gone_a_question_is_unanswered_and_the_next_starts_its_own(
    tmp_path: Path,
) -> None:
    _, _ = honest(tmp_path)
    running = _question("-C", str(tmp_path), *HANGS)
    prepared_process = _prepared_process()
    (fork,) = _children_of(prepared_process)
    os.kill(prepared_process, signal.SIGKILL)
    assert running.wait().exit_code == -signal.SIGKILL
    wait_until(lambda: not Path(f"/proc/{fork}").exists(), "the end of the fork")
    assert asked(("--json",), limit_seconds=60, cwd="/", env=firewall_environment()) is None
    assert ask_firewall(tmp_path).state == "CLEAR"


def test_an_installation_that_cannot_prepare_one_starts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _ = honest(tmp_path)
    monkeypatch.setattr(prepared_firewall, "MODULE", "pipeline.firewall.no_such_module")
    with many_questions():
        assert ask_firewall(tmp_path).state == "CLEAR"
    monkeypatch.setattr(
        prepared_firewall, "firewall_argv", lambda _: ["/nowhere/python", "pipeline.firewall"]
    )
    with many_questions():
        assert not isinstance(ask_firewall(tmp_path), Unknown)
