"""The short form of ``make faults``: it finds what is broken, and what is tried here is whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.fresh_interpreter import REPOSITORY
from tests.faults.__main__ import each_kind_first
from tests.faults.record import Record, Result, broken
from tests.faults.shim import compiler
from tests.faults.trial import Trial

pytestmark = pytest.mark.skipif(compiler() is None, reason="needs a C compiler")


def _tried(record: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults", "--record", str(record), *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_rotation_that_is_disturbed_loses_nothing(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    done = _tried(record, "--minutes", "0.5", "--kills", "7", "--only", "rotate-replay-log")
    assert done.returncode == 0, done.stdout + done.stderr
    assert any(result.operation for result in Record(record).results)
    again = _tried(record, "--minutes", "0")
    assert "| `rotate-replay-log` | killed | 1 |" in again.stdout


@pytest.mark.slow
def test_a_journal_torn_at_any_byte_is_read_to_the_line_before_and_gone_on_with(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    done = _tried(record, "--minutes", "2", "--only", "readers")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len([result for result in Record(record).results if result.operation]) == 6


def test_what_is_broken_is_said_once_with_how_often() -> None:
    several = [Result("run-all", "disk full", number, "write /a", ("ends with 1",)) for number in (3, 5)]
    assert broken([*several, Result("run-all", "killed", 1, "after 1 s")]) == [
        "run-all: ends with 1 (2 trials; the first: disk full, number 3: write /a)"
    ]


def test_a_line_that_was_cut_off_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    Record(path).add(Result("run-all", "killed", 1, "after 1 s"))
    path.write_text(path.read_text() + json.dumps({"subject": "run-all"})[:-4])
    assert Record(path).done == {("run-all", "killed", 1)}


def test_a_short_run_tries_a_few_of_each_kind_before_many_of_one() -> None:
    def trial(what: str, number: int) -> Trial:
        return Trial("run-all", what, number, lambda: ("", []))

    trials = [*(trial("disk full", number) for number in range(9)), trial("locale", 0)]
    order = [(each.what, each.number) for each in each_kind_first(trials)]
    assert order[:4] == [*(("disk full", number) for number in range(3)), ("locale", 0)]
    assert len(set(order)) == 10
