"""A diagnosis that was cut off goes on from what it has seen, as long as that still holds."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runbook.probes.evidence import ProbeOutput
from runbook.probes.looks import Probe
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.wizard.diagnosing import still_holds
from runbook.wizard.driver import Driver
from runbook.wizard.session import WizardSession, open_session
from tests.runbook.workspaces import LEAK, SFT, leak_symptom, make_workspace


class CutError(Exception):
    """The link broke."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = make_workspace(tmp_path / "w")
    (made.root / SFT).write_text(f"{LEAK}\n")
    return made


def counting(looks: list[str], trouble: str = "") -> Symptom:
    """The leak symptom with two probes; ``looks`` notes each look."""
    symptom = leak_symptom()

    def probe(name: str) -> Probe:
        def look(_workspace: Workspace, _seconds: float) -> ProbeOutput:
            looks.append(name)
            return ProbeOutput(probe_id=name, title=name, text="seen", trouble=trouble)

        return Probe(name, name, 1.0, look)

    return Symptom(**{**vars(symptom), "probes": lambda _detection: (probe("look"), probe("again"))})


def cut_off(workspace: Workspace, symptom: Symptom, *, clock: float | None = None) -> WizardSession:
    """A session whose diagnosis ended before it was classified, taken up by another process."""

    def boundary(name: str) -> None:
        if name == "probe:again":
            raise CutError

    opened = open_session(workspace, symptom, symptom.detect(workspace))
    first = WizardSession(workspace, opened.incident, symptom, boundary=boundary)
    with pytest.raises(CutError), first.lease():
        first.diagnose()
    moment = clock if clock is not None else time.time()
    return WizardSession(workspace, opened.incident, symptom, clock=lambda: moment)


def diagnosed(session: WizardSession) -> None:
    with session.lease():
        assert session.diagnose().cause.sentence == "seen"


def test_what_was_seen_before_the_cut_is_not_looked_for_again(workspace: Workspace) -> None:
    looks: list[str] = []
    session = cut_off(workspace, counting(looks))
    diagnosed(session)
    assert looks == ["look", "again"]
    diagnosed(session)  # asked for: that is another matter
    assert looks == ["look", "again"] * 2


def test_once_something_was_touched_everything_is_looked_at_anew(workspace: Workspace) -> None:
    looks: list[str] = []
    session = cut_off(workspace, counting(looks))
    while not any((workspace.root / SFT).stat().st_ctime > each.read_at for each in seen(session)):
        (workspace.root / SFT).write_text(f"{LEAK}\n")
    diagnosed(session)
    assert looks[-1] == "again"
    assert len(looks) > 2


def seen(session: WizardSession) -> list[ProbeOutput]:
    return list(session.standing.probes.values())


@pytest.mark.parametrize(("trouble", "later"), [("it broke", 0.0), ("", 3600.0)])
def test_trouble_and_what_is_long_ago_are_looked_at_anew(
    workspace: Workspace, trouble: str, later: float
) -> None:
    looks: list[str] = []
    session = cut_off(workspace, counting(looks, trouble), clock=time.time() + later)
    diagnosed(session)
    assert looks == ["look", "again"] * 2


def looked_at(workspace: Workspace, looks: list[str]) -> Driver:
    """A wizard whose cause was looked for before an incident was opened, as a read-only console does."""
    driver = Driver(workspace, counting(looks))
    driver.look_for_cause()
    assert looks == ["look", "again"]
    return driver


def test_what_was_seen_before_the_incident_is_recorded_and_not_looked_for_again(workspace: Workspace) -> None:
    looks: list[str] = []
    driver = looked_at(workspace, looks)
    with driver.acting() as session:
        assert looks == ["look", "again"]
        assert [each.probe_id for each in seen(session)] == looks
        assert session.standing.diagnosis is not None


def test_an_incident_opened_after_a_change_is_diagnosed_from_what_is_there(workspace: Workspace) -> None:
    looks: list[str] = []
    driver = looked_at(workspace, looks)
    began = time.time()
    while (workspace.root / SFT).stat().st_ctime <= began:
        (workspace.root / SFT).write_text(f"{LEAK}\n")
    with driver.acting():
        assert looks == ["look", "again"] * 2


@pytest.mark.parametrize(
    ("now", "trouble", "is_touched", "holds"),
    [
        (100.0, "", False, True),
        (1000.0, "", False, True),
        (1000.5, "", False, False),
        (99.5, "", False, False),
        (100.0, "it broke", False, False),
        (100.0, "", True, False),
        (2000.0, "it broke", True, False),
    ],
)
def test_an_output_is_believed_for_a_quarter_of_an_hour_while_nothing_is_touched(
    now: float, trouble: str, is_touched: bool, holds: bool
) -> None:
    asked: list[float] = []

    def touched(since: float) -> bool:
        asked.append(since)
        return is_touched

    workspace: Any = SimpleNamespace(is_touched_since=touched)
    output = ProbeOutput(probe_id="look", title="look", trouble=trouble, read_at=100.0)
    assert still_holds(workspace, output, now) is holds
    assert set(asked) <= {100.0}
