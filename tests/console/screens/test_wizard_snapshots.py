"""One picture a step of the wizard; a difference is looked at before it is accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from console.tui.screens.wizard import WizardScreen
from tests.console import states, wizard_views
from tests.console.apps import ASCII, LEAN, LINK, StillApp, eyes_on
from tests.console.screens.opened import settled

if TYPE_CHECKING:
    from textual.pilot import Pilot

Compare = Callable[..., bool]
SMALL, WIDE, LARGE = (80, 24), (120, 40), (200, 60)


def opened(*keys: str) -> Callable[[Pilot[int]], Any]:
    """An armed console on a breach, in the wizard, after these keys."""

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, StillApp)
        await settled(pilot)
        app.armed.arm("night shift")
        app.changes.publish_arming()
        app.push_screen(WizardScreen(wizard_views.LEAK))
        await settled(pilot)
        for key in keys:
            await eyes_on(pilot)
            await pilot.press(key)
        await settled(pilot)

    return run


@pytest.mark.parametrize(
    ("view", "link", "size", "keys"),
    [
        (wizard_views.contained_first, LEAN, SMALL, ()),
        (wizard_views.contained_first, ASCII, SMALL, ("down",)),
        (wizard_views.to_contain, LEAN, SMALL, ("down", "down", "enter")),
        (wizard_views.to_repair, LINK, WIDE, ()),
        (wizard_views.to_repair, LINK, LARGE, ("down", "down", "enter")),
        (wizard_views.applying, LEAN, SMALL, ()),
        (wizard_views.cut_off, LEAN, SMALL, ()),
        (wizard_views.resolved, LINK, WIDE, ()),
    ],
    ids=[
        "contain-first-80x24",
        "contain-first-ascii",
        "consent-80x24",
        "plan-120x40",
        "consent-200x60",
        "applying-80x24",
        "cut-off-80x24",
        "resolved-120x40",
    ],
)
def test_a_step_of_the_wizard_looks_as_before(
    look_compare: Compare,
    monkeypatch: pytest.MonkeyPatch,
    view: Callable[[], Any],
    link: Any,
    size: Any,
    keys: tuple[str, ...],
) -> None:
    wizard_views.stand_still(monkeypatch, view())
    app = StillApp(states.breach(), link)
    assert look_compare(app, run_before=opened(*keys), terminal_size=size)
