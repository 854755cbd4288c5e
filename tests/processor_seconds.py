"""What each test costs: ``pytest -p tests.processor_seconds PATH`` lists processor seconds at the end.

Wall time says little on a busy machine. Counted is what the test's own process used and all children
that it waited for, by file and by test, the dearest first; set-ups of shared fixtures count where they ran.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

_Totals = dict[str, float]
_SHOWN = 25
_KEY = "processor_seconds"
_TOTALS: pytest.StashKey[_Totals] = pytest.StashKey()


def _used() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    before = _used()
    result = yield
    totals = item.config.stash.setdefault(_TOTALS, {})
    totals[item.nodeid] = totals.get(item.nodeid, 0.0) + _used() - before
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    totals = session.config.stash.get(_TOTALS, {})
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_KEY] = dict(totals)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    found = getattr(node, "workeroutput", {}).get(_KEY, {})
    node.config.stash.setdefault(_TOTALS, {}).update(found)  # type: ignore[attr-defined]  # xdist's node


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tests = config.stash.get(_TOTALS, {})
    files: _Totals = {}
    for name, seconds in tests.items():
        file = name.partition("::")[0]
        files[file] = files.get(file, 0.0) + seconds
    terminalreporter.section(f"{sum(tests.values()):.0f} processor seconds")
    for costs in (files, tests):
        for name, seconds in sorted(costs.items(), key=lambda item: -item[1])[:_SHOWN]:
            terminalreporter.write_line(f"{seconds:8.1f}  {name[:140]}")
        terminalreporter.write_line("")
