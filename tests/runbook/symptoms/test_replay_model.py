"""S1.P7.replay where the drill does not go: a model that answers with filler, and who named it."""

from __future__ import annotations

import json

import pytest

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from pipeline.reading.check_report import AUDIT
from runbook.change.plan import Draft
from runbook.probes.evidence import Confidence, Diagnosis
from runbook.probes.workspace import Workspace
from runbook.symptoms.s1_p7_replay import EMPTY, ID, SWAPPED, UNKNOWN, VARIABLE
from runbook.symptoms.s1_p7_replay.diagnose import SYMPTOM, rerun
from runbook.symptoms.s1_p7_replay.glance import glance
from runbook.wizard.detecting import detect_one
from runbook.wizard.diagnosing import diagnose_only
from tests.pipeline.replay.chat_server import chat_server, says
from tests.runbook.command_line import distill
from tests.runbook.drills.faces import glanced, six_faces
from tests.runbook.symptoms.walked import cause
from tests.runbook.workspaces import planning

FILLER = "As an AI language model I cannot say; it depends. I hope this helps you anyway."


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


def _replay(workspace: Workspace, task: str) -> bool:
    """Replay and log it. Whether the answer passed."""
    done = distill(workspace.root, "replay", "--local-only", "--task", task, "--json")
    ok: bool = json.loads(done.stdout)["validation_result"]["ok"]
    return ok


def _title(workspace: Workspace) -> str:
    with (workspace.root / paths.RAG_EXPORT).open("rb") as file:
        return str(json.loads(file.readline())["title"])


def _logged_rows(workspace: Workspace) -> list[bytes]:
    return (workspace.root / paths.REPLAY_RUNS).read_bytes().splitlines()


def test_a_logged_task_that_used_to_pass_and_is_refused_rings_in_every_face(workspace: Workspace) -> None:
    task = _title(workspace)
    assert _replay(workspace, task)
    assert ID not in glanced(workspace.root)
    (workspace.root / paths.RAG_EXPORT).write_bytes(b"")
    assert not _replay(workspace, task)
    assert "the last replay was refused (" in glanced(workspace.root)[ID][0]
    faces = six_faces(workspace.root)
    assert len({said[ID] for said in faces.values()}) == 1, faces
    assert cause(workspace.root, ID)[0] == EMPTY
    assert rerun(workspace).verdict is Verdict.DETECTED
    assert len(_logged_rows(workspace)) == 2, "nobody who looks logs a replay"


ODD = "zzz"  # no playbook has the word


def test_a_task_that_never_passed_rings_until_somebody_looks(workspace: Workspace) -> None:
    assert not _replay(workspace, ODD)
    assert ID in glanced(workspace.root)
    faces = six_faces(workspace.root)
    assert not any(ID in said for said in faces.values()), faces


def test_a_task_that_passed_once_rings_though_the_check_passes(workspace: Workspace) -> None:
    assert not _replay(workspace, ODD)
    [refused] = _logged_rows(workspace)
    passed = json.loads(refused) | {"validation_result": {"ok": True, "reasons": []}}
    log = workspace.root / paths.REPLAY_RUNS
    log.write_bytes(json.dumps(passed).encode() + b"\n" + refused + b"\n")
    faces = six_faces(workspace.root)
    assert {said[ID][0] for said in faces.values()} == {
        "a task that used to pass: extractive is refused (no_playbook_support), with 0 playbooks"
    }
    assert cause(workspace.root, ID)[0] == UNKNOWN
    assert _replay(workspace, _title(workspace)), "and one that passes is the last word of the log"
    assert detect_one(workspace, SYMPTOM).verdict is not Verdict.DETECTED


@pytest.mark.parametrize(
    ("finished_at", "rings"), [("2026-01-01T00:00:00Z", True), ("2999-01-01T00:00:00Z", False)]
)
def test_an_audit_that_passed_later_outranks_a_refused_replay(
    workspace: Workspace, finished_at: str, rings: bool
) -> None:
    assert not _replay(workspace, ODD)
    check = {"id": "P7.replay", "phase": "P7", "status": "pass", "required": True}
    report = {"checks": [check], "finished_at": finished_at}
    (workspace.root / AUDIT).write_text(json.dumps(report))
    answer = glance(workspace.facts())
    assert answer.is_detected is rings, answer


def test_a_log_that_cannot_be_read_is_not_clear(workspace: Workspace) -> None:
    (workspace.root / paths.REPLAY_RUNS).mkdir()
    answer = glance(workspace.facts())
    assert answer.verdict is Verdict.UNKNOWN
    assert "cannot be read" in answer.observed
