"""For every test: our own programs start warm, a slow machine is no failure, and nobody's trust is asked."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile

import hypothesis

# What tests trust is theirs. One place for all workers, and set before anything is started.
_STATE = tempfile.mkdtemp(prefix="distill-tests-") if "PYTEST_XDIST_WORKER" not in os.environ else ""
if _STATE:
    os.environ["XDG_STATE_HOME"] = _STATE

from tests import warm_processes  # noqa: E402 - it keeps the environment as it finds it

# What a shell starts behind `&` has SIGINT ignored, and so has what it starts: tests that send it would wait.
signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.settings.register_profile(
    "tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")
warm_processes.install()


# Thousands of tests are collected, and none of them is garbage: looking for it takes as long as collecting.
gc.disable()


def pytest_collection_finish() -> None:
    """What was collected stays until the end: from here on nobody looks through it."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    warm_processes.end()
    if _STATE:
        shutil.rmtree(_STATE, ignore_errors=True)
