"""Twenty screens with their colours; how everything else looks is kept as text (``test_pictures.py``).

A difference is looked at before it is accepted: pytest tests/console/screens --snapshot-update
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console.control.wizard_view import WizardView
from console.state.view_state import ViewState
from console.terminal.link_profile import LinkProfile
from console.tui.screens import wizard_page
from console.tui.screens.wizard import WizardScreen
from tests.console import check_reports, incident_folders, runbook_states, states, wizard_views
from tests.console.apps import ASCII, LEAN, LIGHT, LINK, StillApp, eyes_on
from tests.console.screens.opened import app_on, press, settled
from tests.console.screens.picture_states import every_incident, folder_of

if TYPE_CHECKING:
    from textual.pilot import Pilot

MOST_IN_COLOUR = 20
SMALL, WIDE, HUGE = (80, 24), (120, 40), (200, 60)
Walked = Callable[["Pilot[int]"], Awaitable[None]]
DASHBOARDS = (
    ("breach", LINK, WIDE), ("breach", LEAN, SMALL), ("breach", ASCII, SMALL), ("breach", LEAN, (40, 10)),
    ("healthy", LINK, WIDE), ("warn", LIGHT, WIDE), ("warn", LEAN, SMALL), ("running", LINK, WIDE),
    ("stale", LINK, WIDE), ("unknown", LINK, WIDE), ("denied", LINK, WIDE),
)  # fmt: skip
NAMES = {id(ASCII): "ascii", id(LEAN): "lean", id(LIGHT): "light", id(LINK): "rich"}


@dataclass(frozen=True)
class Picture:
    """A screen, where ``walk`` leads on a workspace that ``make`` has laid down."""

    name: str
    walk: Walked
    size: tuple[int, int] = SMALL
    state: Callable[[], ViewState] = states.healthy
    make: Callable[[Path], object] | None = None
    link: LinkProfile = LINK
    armed: bool = False
    critical: bool = False
    view: Callable[[], WizardView] | None = None


def keys(*names: str) -> Walked:
    async def typed(pilot: Pilot[int]) -> None:
        await press(pilot, *names)

    return typed


def asked(*typed: str) -> Walked:
    """A console that asks whether a run shall start."""

    async def ask(pilot: Pilot[int]) -> None:
        await pilot.press("s")
        await eyes_on(pilot)
        await pilot.press(*typed)

    return ask


def in_the_wizard(*names: str) -> Walked:
    async def open_it(pilot: Pilot[int]) -> None:
        await settled(pilot)
        app = pilot.app
        assert isinstance(app, StillApp)
        app.armed.arm("night shift")
        app.changes.publish_arming()
        app.push_screen(WizardScreen(wizard_views.LEAK))
        await settled(pilot)
        for key in names:
            await eyes_on(pilot)
            await pilot.press(key)
        await settled(pilot)

    return open_it


SCREENS = (
    Picture("the question before a run", asked(), armed=True),
    Picture("a critical question half typed", asked("1", "2"), armed=True, critical=True),
    Picture("a failed audit", keys("A"), WIDE, make=check_reports.audited),
    Picture("the runbook", keys("W"), WIDE, runbook_states.detected),
    Picture("a symptom", keys("W", "enter"), WIDE, runbook_states.detected),
    Picture("the incidents", keys("I"), WIDE, make=every_incident),
    Picture(
        "a plan in a replay",
        keys("I", "enter", "home", *["right"] * 4),
        HUGE,
        make=incident_folders.real_incident,
    ),
    Picture(
        "a consent of the wizard",
        in_the_wizard("down", "down", "enter"),
        state=states.breach,
        link=LEAN,
        view=wizard_views.to_contain,
    ),
    Picture("a plan of the wizard", in_the_wizard(), WIDE, states.breach, view=wizard_views.to_repair),
)


@pytest.mark.parametrize(
    ("state", "link", "size"),
    DASHBOARDS,
    ids=[f"{state}-{size[0]}x{size[1]}-{NAMES[id(link)]}" for state, link, size in DASHBOARDS],
)
def test_the_dashboard_looks_as_before(
    snap_compare: Callable[..., bool], state: str, link: LinkProfile, size: tuple[int, int]
) -> None:
    assert snap_compare(StillApp(getattr(states, state)(), link), terminal_size=size)


@pytest.mark.parametrize("picture", SCREENS, ids=lambda picture: picture.name)
def test_a_screen_looks_as_before(
    snap_compare: Callable[..., bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Picture
) -> None:
    if picture.view is not None:
        desk = wizard_views.StillDesk(picture.view())
        monkeypatch.setattr(wizard_page, "open_control", lambda *_subject: desk)
    with folder_of(tmp_path / "w", "agent-logs") as root:
        root.mkdir()
        if picture.make is not None:
            picture.make(root)
            app = app_on(root, picture.link, state=picture.state())
        else:
            app = StillApp(picture.state(), picture.link, armed=picture.armed)
        app.fake_feed.is_critical = picture.critical
        assert snap_compare(app, run_before=picture.walk, terminal_size=picture.size)


def test_colours_are_kept_for_a_few_screens_alone() -> None:
    kept = list(Path(__file__).with_name("__snapshots__").glob("*/*.svg"))
    assert len(kept) == len(DASHBOARDS) + len(SCREENS) <= MOST_IN_COLOUR
