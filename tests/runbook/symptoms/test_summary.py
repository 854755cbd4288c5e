"""S1.P5.summary where the drills do not go: settings, sources, a stage alone, and the honest unknown."""

from __future__ import annotations

import json

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from runbook.probes.evidence import Confidence, Detection
from runbook.probes.workspace import Workspace
from runbook.symptoms.run_claims import run_claims
from runbook.symptoms.s1_p5_summary import SETTINGS, SOURCES, STAGE_ALONE, UNKNOWN
from runbook.symptoms.s1_p5_summary.diagnose import SYMPTOM, rerun
from runbook.wizard.diagnosing import diagnose_only
from tests.pipeline.engine.workspaces import engine

SOURCE = "data/_kb/chats.jsonl"


def _diagnosed(workspace: Workspace) -> tuple[str, Confidence, list[str]]:
    detection = rerun(workspace)
    assert detection.verdict is Verdict.DETECTED, detection.observed
    _, diagnosis = diagnose_only(workspace, SYMPTOM, detection)
    offers = [each.id for each in SYMPTOM.offers(detection, diagnosis)]
    return diagnosis.cause.id, diagnosis.cause.confidence, offers


def test_a_sound_run_holds(workspace: Workspace) -> None:
    claims = run_claims(workspace.root)
    assert claims.differing == ()
    assert claims.summary_is_pinned


def test_settings_that_changed_since_the_run_are_the_cause(workspace: Workspace) -> None:
    with (workspace.root / paths.SETTINGS).open("a") as file:
        file.write("[scoring]\naccept_at = 0.95\n")
    assert _diagnosed(workspace) == (SETTINGS, Confidence.CERTAIN, ["run-again"])


def test_a_source_that_was_cut_is_the_cause(workspace: Workspace) -> None:
    lines = (workspace.root / SOURCE).read_bytes().splitlines(keepends=True)
    (workspace.root / SOURCE).write_bytes(b"".join(lines[:-3]))
    assert _diagnosed(workspace) == (SOURCES, Confidence.CERTAIN, ["run-again"])


def test_a_source_that_grew_is_none(workspace: Workspace) -> None:
    with (workspace.root / SOURCE).open("ab") as file:
        file.write(b'{"task": 99}\n')
    assert run_claims(workspace.root).of("source") == ()


def test_an_export_alone_over_another_one_that_was_edited_leaves_gaps_that_are_named(
    workspace: Workspace,
) -> None:
    with (workspace.root / paths.PREFERENCE_QUARANTINE).open("ab") as file:
        file.write(b"{}\n")
    assert engine(workspace.root, "export-rag").returncode == 0
    assert _diagnosed(workspace) == (STAGE_ALONE, Confidence.CERTAIN, ["run-again"])
    gaps = [each.path for each in run_claims(workspace.root).of("unclaimed")]
    assert str(paths.PREFERENCE_QUARANTINE) in gaps


def test_where_no_run_can_be_read_the_cause_is_honestly_unknown(workspace: Workspace) -> None:
    for events in (workspace.root / paths.REPORTS).glob("*/events.jsonl"):
        events.unlink()
    (workspace.root / paths.RUN_STATE).unlink()
    detection = Detection(
        symptom_id=SYMPTOM.id, verdict=Verdict.DETECTED, observed="red", read_at=0.0, as_of=None
    )
    _, diagnosis = diagnose_only(workspace, SYMPTOM, detection)
    assert (diagnosis.cause.id, diagnosis.cause.confidence) == (UNKNOWN, Confidence.UNKNOWN)
    assert SYMPTOM.offers(detection, diagnosis) == ()


def test_a_summary_is_held_to_the_digest_of_the_last_event(workspace: Workspace) -> None:
    [summary] = (workspace.root / paths.REPORTS).glob("*/summary.json")
    value = json.loads(summary.read_bytes())
    summary.write_text(json.dumps(value | {"workers": 7}))
    [differing] = run_claims(workspace.root).of("summary")
    assert differing.says == "is not what the run wrote, by its event log"
    assert differing.pinned_by.endswith("/events.jsonl")
