"""Gate 2: the workspace's test suite. A suite that ran nothing, or cannot run, has not passed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.checks.runner import Outcome
from pipeline.contracts.checks import CheckStatus
from pipeline.contracts.plurals import plural
from pipeline.platform.process import run

TIMEOUT_SECONDS = 1800.0
_TAIL_LINES = 12
_MOST_OUTPUT_BYTES = 64 << 20
# The closing lines of unittest and pytest; another runner's suite may print one of them itself.
_UNITTEST = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
_UNITTEST_SKIPPED = re.compile(r"^(?:OK|FAILED) \(.*?skipped=(\d+)", re.MULTILINE)
_PYTEST = re.compile(r"(\d+) passed\b")


def run_suite(workspace: Path, argv: Sequence[str], timeout_seconds: float = TIMEOUT_SECONDS) -> Outcome:
    """Run ``argv`` in the workspace; never through a shell."""
    environment = dict(os.environ)
    # Whoever runs this has this interpreter's `distill` and `python3`, PATH or not.
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), environment.get("PATH", "")))
    environment["DISTILL_WORKSPACE"] = str(workspace)
    finished = run(
        argv, limit_seconds=timeout_seconds, cwd=workspace, env=environment, keep_bytes=_MOST_OUTPUT_BYTES
    )
    if finished.timed_out:
        detail = f"{argv[0]} did not end within {timeout_seconds:g} s"
        return Outcome(0, 0, "time-out", detail, status=CheckStatus.ERROR)
    if finished.returncode is None:
        return Outcome(0, 1, "cannot run", finished.why, status=CheckStatus.FAIL)
    if finished.exit_code is None:
        return Outcome(0, 0, "no answer", f"{argv[0]}: {finished.why}", status=CheckStatus.ERROR)
    output = finished.text + finished.narration
    ran = count_tests(output)
    tail = " / ".join(line.strip() for line in output.strip().splitlines()[-_TAIL_LINES:] if line.strip())
    if finished.exit_code != 0:
        return Outcome(ran or 0, 1, f"exit {finished.exit_code}", tail, status=CheckStatus.FAIL)
    if not ran:
        said = "no test ran" if ran == 0 else "it does not say how many tests ran"
        return Outcome(0, 1, said, tail, status=CheckStatus.FAIL)
    return Outcome(ran, 0, f"{plural(ran, 'test')} passed", tail, threshold="exit 0, at least one test")


def count_tests(output: str) -> int | None:
    """How many tests really ran (skipped ones did not); None when the output does not say."""
    if found := _UNITTEST.findall(output):
        skipped = sum(int(count) for count in _UNITTEST_SKIPPED.findall(output))
        return max(0, sum(map(int, found)) - skipped)
    if found := _PYTEST.findall(output):
        return int(found[-1])
    return None
