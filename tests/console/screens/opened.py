"""Apps on a real folder, for screens that read files themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from console.state.view_state import ViewState
from console.terminal.link_profile import LinkProfile
from tests.console import states
from tests.console.apps import LINK, StillApp, text_of

if TYPE_CHECKING:
    from textual.pilot import Pilot


def app_on(
    root: Path | str, link: LinkProfile = LINK, *, state: ViewState | None = None, armed: bool = False
) -> StillApp:
    return StillApp(replace(state or states.healthy(), workspace=str(root)), link, armed=armed)


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Press keys, each when what the one before it began has been read."""
    await settled(pilot)
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def seen(app: StillApp, *keys: str, size: tuple[int, int] = (80, 24)) -> str:
    """What is on the screen after these keys."""
    async with app.run_test(size=size) as pilot:
        await press(pilot, *keys)
        return text_of(app)


async def settled(pilot: Pilot[int]) -> None:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
