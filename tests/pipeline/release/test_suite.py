"""The test suite's gate: what ran counts, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.contracts.checks import CheckStatus
from pipeline.release.suite import count_tests, run_suite


@pytest.mark.parametrize(
    ("output", "count"),
    [
        ("Ran 6 tests in 0.1s\n\nOK (skipped=5)\n", 1),
        ("Ran 3 tests in 0.1s\n\nOK\n", 3),
        ("Ran 2 tests in 0.1s\n\nOK (skipped=2)\n", 0),
        ("Ran 0 tests in 0.0s\n\nNO TESTS RAN\n", 0),
        ("==== 12 passed, 3 skipped in 1.2s ====\n", 12),
        ("all good\n", None),
        ("", None),
    ],
)
def test_the_tests_that_really_ran_are_counted(output: str, count: int | None) -> None:
    assert count_tests(output) == count


@pytest.mark.parametrize(
    "code",
    [
        "import sys; print('Ran 2 tests in 0s', file=sys.stderr); sys.exit(1)",
        "print('nothing to see')",
        "print('Ran 0 tests in 0s')",
    ],
)
def test_a_suite_that_fails_or_says_nothing_does_not_pass(tmp_path: Path, code: str) -> None:
    outcome = run_suite(tmp_path, (sys.executable, "-c", code))
    assert outcome.status is CheckStatus.FAIL
    assert outcome.failed == 1


def test_a_suite_that_ran_and_passed_passes(tmp_path: Path) -> None:
    outcome = run_suite(tmp_path, (sys.executable, "-c", "print('Ran 2 tests in 0s')"))
    assert (outcome.examined, outcome.failed) == (2, 0)


def test_a_suite_that_cannot_be_started_fails(tmp_path: Path) -> None:
    assert run_suite(tmp_path, ("no-such-program-here",)).status is CheckStatus.FAIL


def test_a_suite_that_never_ends_is_not_evaluated(tmp_path: Path) -> None:
    outcome = run_suite(tmp_path, (sys.executable, "-c", "import time; time.sleep(60)"), timeout_seconds=0.3)
    assert outcome.status is CheckStatus.ERROR


def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    run_suite(tmp_path, (sys.executable, "-c", "pass", "; touch planted", "$(touch planted)"))
    assert not (tmp_path / "planted").exists()
