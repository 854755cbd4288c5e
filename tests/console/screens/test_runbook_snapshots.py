"""Pictures of the runbook, its symptoms' pages, the incidents and their replays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.console import incident_folders, runbook_states, states
from tests.console.apps import ASCII, LEAN, LINK, StillApp, eyes_on
from tests.console.screens.opened import app_on, press
from tests.console.screens.test_screen_snapshots import here, keys  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from textual.pilot import Pilot

Compare = Callable[..., bool]
SMALL, WIDE, HUGE = (80, 24), (120, 40), (200, 60)
SIZES = [(LEAN, SMALL), (LINK, WIDE), (LINK, HUGE)]
SIZE_IDS = ["80x24", "120x40", "200x60"]


@pytest.mark.parametrize("state", ["none", "detected", "never", "looking", "broken"])
@pytest.mark.parametrize(("link", "size"), SIZES, ids=SIZE_IDS)
def test_the_runbook_looks_as_before(look_compare: Compare, state: str, link: Any, size: Any) -> None:
    app = StillApp(getattr(runbook_states, state)(), link)
    assert look_compare(app, run_before=keys("W"), terminal_size=size)


def test_the_runbook_in_ascii_looks_as_before(look_compare: Compare) -> None:
    assert look_compare(StillApp(runbook_states.detected(), ASCII), run_before=keys("W"), terminal_size=SMALL)


@pytest.mark.parametrize(("link", "size"), SIZES, ids=SIZE_IDS)
def test_the_page_of_a_symptom_looks_as_before(look_compare: Compare, link: Any, size: Any) -> None:
    app = StillApp(runbook_states.detected(), link)
    assert look_compare(app, run_before=keys("W", "enter"), terminal_size=size)


def test_the_page_of_a_calm_symptom_looks_as_before(look_compare: Compare) -> None:
    app = StillApp(runbook_states.none(), LEAN)
    assert look_compare(app, run_before=keys("W", "down", "enter"), terminal_size=SMALL)


@pytest.mark.parametrize("size", [SMALL, WIDE], ids=["80x24", "120x40"])
def test_the_dashboard_with_what_the_runbook_saw_looks_as_before(look_compare: Compare, size: Any) -> None:
    assert look_compare(StillApp(runbook_states.detected(), LINK), terminal_size=size)


def all_kinds(root: Path) -> None:
    incident_folders.open_incident(root)
    incident_folders.real_incident(root, "20260427-0712-s1-p0-recon-doc")
    incident_folders.broken_incident(root)
    incident_folders.unreadable_incident(root)
    incident_folders.piped_incident(root)


@pytest.mark.parametrize(("link", "size"), SIZES, ids=SIZE_IDS)
def test_the_incidents_look_as_before(
    look_compare: Compare,
    here: str,  # noqa: F811 (the fixture)
    link: Any,
    size: Any,
) -> None:
    all_kinds(Path(here))
    assert look_compare(app_on(here, link), run_before=keys("I"), terminal_size=size)


def test_no_incidents_look_as_before(look_compare: Compare, here: str) -> None:  # noqa: F811 (the fixture)
    assert look_compare(app_on(here, LEAN), run_before=keys("I"), terminal_size=SMALL)


@pytest.mark.parametrize(
    ("names", "link", "size"),
    [
        (("left", "left"), LEAN, SMALL),
        (("left", "left"), ASCII, SMALL),
        (("home",), LEAN, SMALL),
        (("home", "right", "right"), LINK, WIDE),
        (("home", "right", "right", "right", "right"), LINK, HUGE),
        (("o",), LEAN, SMALL),
    ],
    ids=["intent-80x24", "intent-ascii", "opened-80x24", "cause-120x40", "plan-200x60", "page-80x24"],
)
def test_a_replay_looks_as_before(
    look_compare: Compare,
    here: str,  # noqa: F811 (the fixture)
    names: Any,
    link: Any,
    size: Any,
) -> None:
    incident_folders.real_incident(Path(here))
    assert look_compare(app_on(here, link), run_before=keys("I", "enter", *names), terminal_size=size)


@pytest.mark.parametrize("make", ["broken_incident", "unreadable_incident", "piped_incident"])
@pytest.mark.parametrize(("link", "size"), SIZES[:2], ids=SIZE_IDS[:2])
def test_a_replay_of_what_is_broken_looks_as_before(
    look_compare: Compare,
    here: str,  # noqa: F811 (the fixture)
    make: str,
    link: Any,
    size: Any,
) -> None:
    getattr(incident_folders, make)(Path(here))
    names = ("I", "enter", "left", "left", "left") if make == "broken_incident" else ("I", "enter")
    assert look_compare(app_on(here, link), run_before=keys(*names), terminal_size=size)


@pytest.mark.parametrize("typed", ["", "12"], ids=["empty", "half"])
def test_a_critical_question_looks_as_before(look_compare: Compare, typed: str) -> None:
    app = StillApp(states.healthy(), LINK, armed=True)
    app.fake_feed.is_critical = True

    async def ask(pilot: Pilot[int]) -> None:
        await press(pilot, "s")
        await eyes_on(pilot)
        await pilot.press(*typed)

    assert look_compare(app, run_before=ask, terminal_size=SMALL)
