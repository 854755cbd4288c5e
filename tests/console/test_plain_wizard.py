"""The wizards as plain prompts: the same arming, the same digits, the same record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from console.control.armed import Armed, Permit, ReadOnlyError
from console.control.changes import Operations
from console.keymap import WIZARD_ANSWER
from console.plain.wizard import PlainWizards, Subject
from pipeline.contracts.status import Freshness, Origin, SymptomStatus
from pipeline.reading.incidents import incident_ids
from runbook.probes.workspace import Workspace
from runbook.wizard import worker
from runbook.wizard.session import reopen_session
from tests.console.apps import Clock
from tests.console.fake_feed import FakeFeed
from tests.console.wizards import LEAKING, InThisProcess
from tests.console.wizards import leaking as leaking_workspace
from tests.runbook.workspaces import SFT

SHOWN = SymptomStatus(
    LEAKING.id, LEAKING.severity, "1 forbidden \x1b[31mrow", Origin("live", 0.0, Freshness.FRESH)
)


class Console:
    """A plain console's side: what it armed, what is typed, what was said."""

    def __init__(self, root: Path, *, armed: bool) -> None:
        self.root = root
        self.said: list[str] = []
        self.clock = Clock()
        self.armed = Armed(self.clock)
        if armed:
            self.armed.arm("a test")
        self._operations = Operations(self.armed, FakeFeed())

    def talk(self, *typed: str | Callable[[], str]) -> str:
        lines = iter(typed)

        def ask() -> str | None:
            found = next(lines, None)
            return found() if callable(found) else found

        wizards = PlainWizards(self.root, self.said.append, ask, self._permit, symptoms=(LEAKING,))
        wizards.open(Subject("the leak", symptom_id=LEAKING.id))
        return "\n".join(self.said)

    def _permit(self) -> Permit | None:
        try:
            return self._operations.permit(WIZARD_ANSWER)
        except ReadOnlyError:
            return None

    def code(self) -> str:
        (incident_id,) = incident_ids(self.root)
        plan = reopen_session(Workspace(self.root), incident_id, [LEAKING]).standing.plan
        assert plan is not None
        return plan.code


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(worker, "start", InThisProcess)
    return leaking_workspace(tmp_path / "w")


def test_read_only_shows_what_the_screen_shows_and_writes_nothing(root: Path) -> None:
    said = Console(root, armed=False).talk("1", "1")
    assert said.index("WHAT CONTAINMENT DOES") < said.index("somebody appended a row")
    assert "read-only: view only; arm first to answer" in said
    assert incident_ids(root) == []


def test_armed_the_digits_and_a_reason_carry_it_out(root: Path) -> None:
    console = Console(root, armed=True)
    said = console.talk("1", console.code, "forbidden rows", "2")
    assert not (root / SFT).exists()
    assert "mitigated" in said


def test_arming_that_ends_before_the_code_agrees_to_nothing_and_leaves_it_open(root: Path) -> None:
    console = Console(root, armed=True)

    def too_late() -> str:
        console.clock.seconds += 15 * 60
        return console.code()

    said = console.talk("1", too_late, "because")
    assert (root / SFT).exists()
    assert "read-only: arming ended; nothing was answered" in said
    assert "left open; go on with: distill runbook resume" in said


def test_open_incidents_are_offered_beside_the_symptoms_that_show(root: Path) -> None:
    console = Console(root, armed=True)
    console.talk("1")
    wizards = PlainWizards(root, console.said.append, lambda: None, lambda: None, symptoms=(LEAKING,))
    symptom, incident = wizards.subjects([SHOWN])
    assert symptom.symptom_id == LEAKING.id
    assert "\\x1b[31mrow" in symptom.words
    assert incident.incident_id == incident_ids(root)[0]
    assert "planned" in incident.words
