"""Wizards to test: a workspace with a forbidden word, a worker in this process, views that stand still."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console.control.wizard_control import WizardControl
from console.tui.screens import wizard_page
from console.tui.screens.wizard import WizardScreen
from pipeline.contracts.severity import Severity
from runbook.actions.quarantine import plan_quarantine
from runbook.actions.rerun_stage import plan_command
from runbook.change.applied import Boundary
from runbook.change.incident import Incident
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, Question, Symptom
from runbook.wizard import worker
from runbook.wizard.session import WizardSession, reopen_session
from tests.console.apps import StillApp
from tests.console.screens.opened import app_on, settled
from tests.runbook.workspaces import LEAK, SFT, leak_symptom, make_workspace
from tests.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from textual.pilot import Pilot

WORD = Question("word", "Which word?", default="clean")


def _contain(planning: Planning, _answers: Answers) -> Draft:
    return plan_quarantine(planning, SFT)


def _export(planning: Planning, answers: Answers) -> Draft:
    return plan_command(planning, ["export-sft", "write", SFT, answers["word"]], title="Export again")


QUARANTINE = Offer("quarantine", f"Quarantine {SFT} now", "it spreads", _contain, immediate=True)
EXPORT = Offer("export", "Export again", "the cause is gone", _export, (WORD,))
LEAKING = leak_symptom(QUARANTINE, EXPORT)
MILD = Symptom(**{**leak_symptom(EXPORT).__dict__, "severity": Severity.ERROR})


class Worker:
    """Stands for the worker's process: the symptoms of tests are not known to a real one.

    It waits at the boundary that ``hold`` names until ``go`` is set, and ends where ``dies`` says.
    """

    def __init__(self, symptom: Symptom) -> None:
        self.symptom = symptom
        self.hold = self.dies = ""
        self.reached, self.go = threading.Event(), threading.Event()
        self.returncode: int | None = None
        self.started = 0

    def start(self, incident: Incident, _plan_hash: str) -> Worker:
        self.returncode, self.started = None, self.started + 1
        threading.Thread(target=self._run, args=(incident,), daemon=True).start()
        return self

    def said(self) -> str:
        return ""

    def _run(self, incident: Incident) -> None:
        session = WizardSession(Workspace(incident.root), incident, self.symptom, boundary=self._boundary())
        try:
            with session.lease():
                code = worker.carry_out(session)
        except KilledError:
            code = -9
        self.returncode = code

    def _boundary(self) -> Boundary:
        def at(name: str) -> None:
            if name == self.hold:
                self.reached.set()
                self.go.wait(LIMIT_SECONDS)
            if name == self.dies:
                raise KilledError

        return at

    def poll(self) -> int | None:
        return self.returncode


class InThisProcess:
    """Stands for a worker's process that is waited for: the plan is carried out here."""

    def __init__(self, incident: Incident, _plan_hash: str) -> None:
        self._session = reopen_session(Workspace(incident.root), incident.id, [LEAKING])

    def wait(self, _seconds: float) -> int:
        with self._session.lease():
            return worker.carry_out(self._session)

    def said(self) -> str:
        return ""


class KilledError(Exception):
    """The worker's process is gone."""


def leaking(root: Path) -> Path:
    """A workspace whose export holds the forbidden word."""
    workspace = make_workspace(root)
    (workspace.root / SFT).write_text(f'{{"id": "sft-1"}}\n{LEAK}\n')
    return workspace.root


def use(monkeypatch: pytest.MonkeyPatch, symptom: Symptom = LEAKING) -> Worker:
    """Wizards opened from now on know ``symptom`` alone, and carry plans out in this process."""
    hand = Worker(symptom)

    def opened(root: Path, symptom_id: str | None, incident_id: str | None) -> WizardControl:
        return WizardControl(
            root,
            (symptom,),
            symptom_id=symptom_id,
            incident_id=incident_id,
            start=hand.start,  # type: ignore[arg-type]  # as much of a process as is asked of it
        )

    monkeypatch.setattr(wizard_page, "open_control", opened)
    return hand


def app_in(root: Path, *, armed: bool = True) -> StillApp:
    return app_on(root, armed=armed)


async def wizard_on(pilot: Pilot[int], screen: WizardScreen | None = None) -> WizardScreen:
    """The wizard of the leak on top, and what it shows at first."""
    opened = screen or WizardScreen(LEAKING.id)
    pilot.app.push_screen(opened)
    await settled(pilot)
    return opened


async def shown(pilot: Pilot[int], screen: WizardScreen, there: Callable[[], bool]) -> None:
    """Look again until ``there``; the worker's thread needs a moment that nobody can know."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            await settled(pilot)
            if there():
                return
            screen.look_again()
            await pilot.pause(0.01)
