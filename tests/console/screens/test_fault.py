"""What could not be done is told whole: three lines in a box, until they were read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.presentation import palette
from console.tui.screens.dashboard import Dashboard
from console.tui.screens.fault import FaultDialogue
from pipeline.contracts.faults import Fault
from tests.console import states
from tests.console.apps import eyes_on, text_of
from tests.console.screens.opened import app_on, press, seen

FAULT = Fault(
    "trust_needed",
    "/srv/agent-logs-prod: the workspace's own code is not trusted.",
    "No code of the workspace was run, and nothing was changed.",
    f"Look at it and trust it: distill trust /srv/agent-logs-prod   (in CI: --trust {'5f' * 32})",
)


@pytest.mark.parametrize("key", ["escape", "enter"])
async def test_three_lines_stay_until_they_were_read_and_none_is_cut(tmp_path: Path, key: str) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.fail(FAULT)
        await eyes_on(pilot)
        assert isinstance(app.screen, FaultDialogue)
        told = text_of(app).replace("\n", "").replace(" ", "")
        for text in (FAULT.what_happened, FAULT.kept_safe, FAULT.do_next):
            assert text.replace(" ", "") in told
        await press(pilot, key)
        assert isinstance(app.screen, Dashboard)
        assert FAULT.do_next in app.state.log[-1].text


async def test_trusting_is_found_and_changes_something(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "colon", *"trust", "enter")
        assert app.notice == "read-only: arm first (a), with a reason"
    (found,) = palette.find("untrusted", palette.offers(states.healthy(), "wizard"))
    assert found.name == "Trust the workspace's code…"


@pytest.mark.parametrize("width", [80, 120])
async def test_an_engine_that_may_not_run_is_called_so_at_every_width(tmp_path: Path, width: int) -> None:
    state = states.healthy()
    untrusted = replace(state, engine=replace(state.engine, refused="its code is not trusted"))
    assert "engine refused" in await seen(app_on(tmp_path, state=untrusted), size=(width, 30))
    assert "engine refused" not in await seen(app_on(tmp_path, state=state), size=(width, 30))
