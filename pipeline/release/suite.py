"""Gate 2: the workspace's test suite. A suite that ran nothing, or cannot run, has not passed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.checks.runner import Outcome
from pipeline.contracts.checks import CheckStatus

TIMEOUT_SECONDS = 1800.0
_TAIL_LINES = 12
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
    try:
        finished = subprocess.run(
            list(argv),
            cwd=workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        detail = f"{argv[0]} did not end within {timeout_seconds:g} s"
        return Outcome(0, 0, "time-out", detail, status=CheckStatus.ERROR)
    except OSError as error:
        return Outcome(0, 1, "cannot run", f"{argv[0]}: {error.strerror}", status=CheckStatus.FAIL)
    output = finished.stdout.decode("utf-8", "replace")
    ran = count_tests(output)
    tail = " / ".join(line.strip() for line in output.strip().splitlines()[-_TAIL_LINES:] if line.strip())
    if finished.returncode != 0:
        return Outcome(ran or 0, 1, f"exit {finished.returncode}", tail, status=CheckStatus.FAIL)
    if not ran:
        said = "no test ran" if ran == 0 else "it does not say how many tests ran"
        return Outcome(0, 1, said, tail, status=CheckStatus.FAIL)
    return Outcome(ran, 0, f"{ran} tests passed", tail, threshold="exit 0, at least one test")


def count_tests(output: str) -> int | None:
    """How many tests really ran (skipped ones did not); None when the output does not say."""
    if found := _UNITTEST.findall(output):
        skipped = sum(int(count) for count in _UNITTEST_SKIPPED.findall(output))
        return max(0, sum(map(int, found)) - skipped)
    if found := _PYTEST.findall(output):
        return int(found[-1])
    return None
