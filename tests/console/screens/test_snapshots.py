"""One picture per state and size; a difference is looked at before it is accepted.

After a wanted change: pytest tests/console/screens/test_snapshots.py --snapshot-update
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.console import states
from tests.console.apps import ASCII, LEAN, LIGHT, LINK, StillApp, eyes_on

if TYPE_CHECKING:
    from textual.pilot import Pilot

Compare = Callable[..., bool]
_STATES = ("empty", "running", "healthy", "warn", "breach", "stale", "unknown", "denied")
_SIZES = (((80, 24), "lean", LEAN), ((120, 40), "rich", LINK), ((200, 60), "rich", LINK))
PICTURES: tuple[tuple[str, str, Any, tuple[int, int]], ...] = (
    *(
        (f"{state}-{size[0]}x{size[1]}-{profile}", state, link, size)
        for state in _STATES
        for size, profile, link in _SIZES
    ),
    ("breach-80x24-ascii", "breach", ASCII, (80, 24)),
    ("breach-40x10-lean", "breach", LEAN, (40, 10)),
    ("warn-120x40-light", "warn", LIGHT, (120, 40)),
    ("removed-120x40-rich", "removed", LINK, (120, 40)),
)


@pytest.mark.parametrize(
    ("state", "link", "size"), [row[1:] for row in PICTURES], ids=[row[0] for row in PICTURES]
)
def test_the_dashboard_looks_as_before(
    look_compare: Compare, state: str, link: Any, size: tuple[int, int]
) -> None:
    assert look_compare(StillApp(getattr(states, state)(), link), terminal_size=size)


def test_the_question_before_a_run_looks_as_before(look_compare: Compare) -> None:
    async def ask(pilot: Pilot[int]) -> None:
        await pilot.press("s")
        await eyes_on(pilot)

    assert look_compare(StillApp(states.healthy(), LINK, armed=True), run_before=ask, terminal_size=(80, 24))


def test_the_page_of_the_worst_symptom_looks_as_before(look_compare: Compare) -> None:
    assert look_compare(StillApp(states.breach(), LINK), press=["b"], terminal_size=(80, 24))


def test_the_help_looks_as_before(look_compare: Compare) -> None:
    assert look_compare(StillApp(states.healthy(), LEAN), press=["question_mark"], terminal_size=(120, 40))
