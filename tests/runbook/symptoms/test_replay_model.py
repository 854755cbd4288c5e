"""S1.P7.replay where the drill does not go: a model that answers with filler, and who named it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from runbook.change.plan import Draft
from runbook.probes.evidence import Confidence, Diagnosis
from runbook.probes.workspace import Workspace
from runbook.symptoms.s1_p7_replay.define import SWAPPED, UNKNOWN, VARIABLE
from runbook.symptoms.s1_p7_replay.diagnose import SYMPTOM, rerun
from runbook.wizard.diagnosing import diagnose_only
from tests.pipeline.replay.chat_server import chat_server, says
from tests.runbook.symptoms.walked import filled
from tests.runbook.workspaces import planning

FILLER = "As an AI language model I cannot say; it depends. I hope this helps you anyway."


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return filled(tmp_path / "w")


def _settings(workspace: Workspace, lines: str) -> None:
    with (workspace.root / paths.SETTINGS).open("a") as file:
        file.write(f"[replay]  # the local model\n{lines}")


def _swapped(workspace: Workspace) -> tuple[Diagnosis, Draft]:
    detection = rerun(workspace)
    assert detection.verdict is Verdict.DETECTED, detection.observed
    assert "filler_or_hedge_phrase" in detection.observed
    _, diagnosis = diagnose_only(workspace, SYMPTOM, detection)
    assert (diagnosis.cause.id, diagnosis.cause.confidence) == (SWAPPED, Confidence.CERTAIN)
    [offer] = SYMPTOM.offers(detection, diagnosis)
    return diagnosis, offer.make(planning(workspace), {})


def test_a_model_that_the_settings_name_and_that_hedges_goes_out_of_them(workspace: Workspace) -> None:
    with chat_server(says(FILLER)) as (url, _):
        _settings(workspace, f'model = "openai:small"\nbase_url = "{url}"\n')
        before = (workspace.root / paths.SETTINGS).read_text()
        diagnosis, draft = _swapped(workspace)
    assert diagnosis.cause.places[0] == 'distill.toml [replay] model = "openai:small"'
    said = [each.says for each in diagnosis.cause.evidence]
    assert any("The same task by the default: extractive passes" in each for each in said)
    [data] = draft.contents.values()
    assert data.decode() == before.replace('model = "openai:small"\n', "")
    assert not (workspace.root / paths.REPLAY_RUNS).exists()


def test_a_model_that_the_environment_names_is_for_a_person_to_take_out(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "openai:small")
    with chat_server(says(FILLER)) as (url, _):
        _settings(workspace, f'base_url = "{url}"\n')
        diagnosis, draft = _swapped(workspace)
    assert diagnosis.cause.places == (f"environment variable {VARIABLE}=openai:small",)
    [step] = draft.plan.steps
    assert (step.type, step.by_hand) == ("manual", f"unset {VARIABLE}")


def test_where_model_playbooks_and_code_are_sound_the_cause_is_honestly_unknown(
    workspace: Workspace,
) -> None:
    detection = rerun(workspace)
    assert detection.verdict is Verdict.CLEAR
    _, diagnosis = diagnose_only(workspace, SYMPTOM, detection)
    assert (diagnosis.cause.id, diagnosis.cause.confidence) == (UNKNOWN, Confidence.UNKNOWN)
