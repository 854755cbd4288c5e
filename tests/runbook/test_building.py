"""What is told while a sandbox is built: each step once, and on a terminal how long it lasts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.platform.voice import Voice
from runbook.commands import building
from runbook.commands.building import Building
from tests.waiting import wait_until


class _Line:
    """The line that renews itself."""

    def __init__(self) -> None:
        self.shown: list[tuple[Any, ...]] = []
        self.is_erased = False

    def show(self, *said: Any) -> None:
        self.shown.append(said)

    def erase(self) -> None:
        self.is_erased = True


def test_each_step_is_told_and_how_long_it_lasts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = _Line()
    monkeypatch.setattr(building, "Progress", lambda: line)
    monkeypatch.setattr(building, "_TELL_SECONDS", 0.01)
    with Building(Voice(), 2) as told:
        told.step("a workspace")
        wait_until(lambda: bool(line.shown), "the line")
        told.step("its audit")
        wait_until(lambda: "step 2 of 2 for" in str(line.shown[-1]), "the line of the second step")
    assert line.is_erased
    said = capsys.readouterr().err
    assert "1 of 2  a workspace" in said
    assert "2 of 2  its audit" in said


def test_a_step_that_takes_long_never_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    line, clock = _Line(), iter(range(1000))
    monkeypatch.setattr(building, "Progress", lambda: line)
    monkeypatch.setattr(building, "_TELL_SECONDS", 0.01)
    monkeypatch.setattr(building, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    with Building(Voice(), 1) as told:
        told.step("an audit")
        wait_until(lambda: len(line.shown) > 25, "more lines than ten seconds have")
    said = [shown[1] for shown in line.shown]
    assert len(set(said)) == len(said)
