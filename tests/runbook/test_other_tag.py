"""A workspace with another last-good tag reads its own in every command, page, offer and diagnosis."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts.faults import OperatorError
from pipeline.contracts.paths import DEFAULT_TAG, RECON_DOC
from pipeline.contracts.symptoms import TAG
from pipeline.release import handoff
from pipeline.settings.load import load_settings
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.symptoms import SYMPTOMS
from runbook.wizard.detecting import detect_one
from runbook.wizard.diagnosing import diagnose_only
from tests.architecture.fresh_interpreter import REPOSITORY
from tests.runbook.command_line import distill
from tests.runbook.workspaces import make_workspace, planning

OTHER = "nights/v7;id"
QUOTED = shlex.quote(OTHER)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Code, settings and the recon doc differ from the tag."""
    workspace = make_workspace(tmp_path / "w", tag=OTHER)
    for path in ("pipeline/schemas/sft.py", "pipeline/stages/score.py", "distill.toml"):
        (workspace.root / path).parent.mkdir(exist_ok=True)
        with (workspace.root / path).open("a") as file:
            file.write("# changed\n")
    (workspace.root / RECON_DOC).unlink()
    return workspace


def texts(value: Any) -> Iterator[str]:
    """Every text in something that was printed as JSON."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def check(printed: Any) -> int:
    """How many commands name the workspace's tag, each of them safe to paste."""
    named = 0
    for text in texts(printed):
        assert DEFAULT_TAG not in text
        for command in re.findall(r"git (?:diff|ls-tree|cat-file|bisect start|-c)[^\n]*", text):
            assert OTHER not in command.replace(QUOTED, ""), command
            named += QUOTED in command
    return named


def test_the_default_is_spelled_once() -> None:
    """A by-hand command that spells it is wrong wherever the settings name another."""
    spelled = [
        path.relative_to(REPOSITORY).as_posix()
        for package in ("console", "pipeline", "runbook")
        for path in sorted((REPOSITORY / package).rglob("*.py"))
        if DEFAULT_TAG in path.read_text(encoding="utf-8")
    ]
    assert spelled == ["pipeline/contracts/paths.py"]
    pages = sorted((REPOSITORY / "docs/runbook").iterdir())
    assert [path.name for path in pages if DEFAULT_TAG in path.read_text(encoding="utf-8")] == []


def test_every_by_hand_command_names_the_workspaces_own_tag() -> None:
    with_tag = 0
    for symptom in SYMPTOMS:
        for each in symptom.by_hand:
            command = each.command_for(OTHER)
            assert "TAG" not in command
            with_tag += TAG in each.command
            if TAG in each.command:
                assert any(OTHER in word for word in shlex.split(command))
    assert with_tag >= 13


def test_what_the_runbook_prints_of_a_workspace_names_its_tag(workspace: Workspace) -> None:
    found = json.loads(distill(workspace.root, "runbook", "detect", "--json").stdout)
    assert {each["id"] for each in found["symptoms"]} == {each.id for each in SYMPTOMS}
    assert check(found) >= 13
    text = distill(workspace.root, "status").stdout
    assert OTHER in text
    assert check([text]) == 0


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda each: each.id)
def test_what_a_diagnosis_and_its_offers_say_names_its_tag(workspace: Workspace, symptom: Symptom) -> None:
    detection = detect_one(workspace, symptom)
    outputs, diagnosis = diagnose_only(workspace, symptom, detection)
    check([each.model_dump(mode="json") for each in (detection, diagnosis, *outputs.values())])
    for offer in symptom.offers(detection, diagnosis):
        check(
            [offer.title, offer.why, *(text for each in offer.questions for text in (each.text, each.help))]
        )
        try:
            plan = offer.make(planning(workspace), {}).plan
        except (OperatorError, OSError, KeyError) as error:
            check([str(error)])
        else:
            check(plan.model_dump(mode="json"))


def test_the_hand_off_page_names_its_tag(workspace: Workspace) -> None:
    text = "# kept\n[workspace]\nlast_good_tag = 'night-v7'\n"
    (workspace.root / "distill.toml").write_text(text)
    page = handoff.page(workspace.root, load_settings(workspace.root).settings)
    assert "git diff night-v7" in page
    assert DEFAULT_TAG not in page
