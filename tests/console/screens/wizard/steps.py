"""The steps an operator takes at the wizard's screen, and what stands in the files afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from console.tui.screens.consent import ConsentDialogue
from console.tui.screens.wizard import WizardScreen
from pipeline.reading.incidents import incident_ids
from runbook.probes.workspace import Workspace
from runbook.wizard.dialogue import Standing
from runbook.wizard.session import WizardSession, reopen_session
from tests.console.apps import StillApp, eyes_on, text_of
from tests.console.screens.opened import press, settled
from tests.console.wizards import LEAKING, app_in, wizard_on

if TYPE_CHECKING:
    from textual.pilot import Pilot

SMALL, WIDE = (80, 24), (120, 40)


# On the screen


@asynccontextmanager
async def wizard_open(
    root: Path, size: tuple[int, int] = SMALL, *, armed: bool = True
) -> AsyncIterator[tuple[Pilot[int], StillApp, WizardScreen]]:
    """The wizard of the leak, at what it shows first."""
    app = app_in(root, armed=armed)
    async with app.run_test(size=size) as pilot:
        yield pilot, app, await wizard_on(pilot)


@asynccontextmanager
async def consent_asked(
    root: Path, size: tuple[int, int] = SMALL
) -> AsyncIterator[tuple[Pilot[int], StillApp, WizardScreen]]:
    """An armed wizard that asks for the consent to the quarantine."""
    async with wizard_open(root, size) as (pilot, app, screen):
        await to_the_consent(pilot, app)
        yield pilot, app, screen


async def to_the_consent(pilot: Pilot[int], app: StillApp) -> None:
    """Quarantine is chosen, and its consent is on the screen and listens."""
    await press(pilot, "down", "enter")
    await eyes_on(pilot)
    assert isinstance(app.screen, ConsentDialogue)


async def typed_in(pilot: Pilot[int], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


async def agree(pilot: Pilot[int], root: Path, why: str = "because") -> None:
    """The plan's digits and a reason, as the quarantine asks for."""
    await typed_in(pilot, "down", *code(root), "enter", *why, "enter")


async def agree_without_digits(pilot: Pilot[int], why: str) -> None:
    """Carry out the plan on the screen. Not critical: a moved choice and a reason, no digits."""
    await press(pilot, "down", "down", "enter")
    await eyes_on(pilot)
    await typed_in(pilot, "down", *why, "enter")


async def disarm_at_consent(pilot: Pilot[int], screen: WizardScreen) -> None:
    """Out of the consent, disarmed, and the wizard has seen it."""
    await press(pilot, "escape", "a")
    screen.look_again()
    await settled(pilot)


def words(app: StillApp) -> str:
    """All that is shown, wherever a line was broken."""
    return " ".join(text_of(app).split())


# In the files


def everything(root: Path) -> dict[str, bytes]:
    """Every byte below the root, the record of incidents and the state of consoles too."""
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def only_incident(root: Path) -> WizardSession:
    (incident_id,) = incident_ids(root)
    return reopen_session(Workspace(root), incident_id, [LEAKING])


def standing(root: Path) -> Standing:
    return only_incident(root).standing


def code(root: Path) -> str:
    """The digits that the plan's consent asks for."""
    plan = standing(root).plan
    assert plan is not None
    return plan.code
