"""The process that carries a plan out: whose symptoms it knows, and whom it tells why it did nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbook.symptom import Offer
from runbook.symptoms import SYMPTOMS
from runbook.wizard.session import open_session
from runbook.worker import main, symptoms_for
from tests.runbook.workspaces import direct, leak_symptom, make_workspace, seen


def test_an_incident_of_a_symptom_knows_the_symptoms_and_a_direct_command_none(tmp_path: Path) -> None:
    """So that a command by hand works while the symptoms are broken."""
    workspace = make_workspace(tmp_path / "w")
    assert symptoms_for(direct(workspace).incident) == ()
    symptom = leak_symptom(Offer("none", "None", "none", lambda *_: pytest.fail("nobody planned")))
    opened = open_session(workspace, symptom, seen(workspace))
    assert symptoms_for(opened.incident) == SYMPTOMS
    assert len(SYMPTOMS) >= 17


def test_a_plan_that_is_not_the_incidents_is_not_carried_out_and_the_pipe_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    workspace = make_workspace(tmp_path / "w")
    session = direct(workspace)
    reading, writing = os.pipe()
    try:
        assert main([str(workspace.root), session.incident.id, "0" * 64, str(writing)]) == 11
    finally:
        os.close(writing)
    with os.fdopen(reading) as told:
        happened, kept, to_do = told.read().splitlines()
    assert (happened[:15], kept[:15], to_do[:15]) == ("what happened  ", "kept safe      ", "do next        ")
    assert happened in capfd.readouterr().err
    assert session.incident.lease_holder() is None
