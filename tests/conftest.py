"""For every test: our own programs start warm, and a slow machine is no failure."""

from __future__ import annotations

import hypothesis

from tests import warm_processes

hypothesis.settings.register_profile(
    "tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")
warm_processes.install()


def pytest_unconfigure() -> None:
    warm_processes.end()
