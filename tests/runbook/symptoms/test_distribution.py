"""S1.P3.distribution: what the drills do not plant. Nothing scored, thresholds, signals that vanished."""

from __future__ import annotations

import shutil

from pipeline.contracts import paths
from pipeline.contracts.categories import CATEGORIES
from pipeline.contracts.status import Verdict
from runbook.probes.code_history import ChangedFile, CodeHistory
from runbook.probes.evidence import Confidence, Detection, Diagnosis, ProbeOutput, Record, Stance
from runbook.probes.settings_history import SettingsHistory
from runbook.probes.workspace import Workspace
from runbook.symptoms.claims import StageClaims
from runbook.symptoms.s1_p3_distribution import CAUSES
from runbook.symptoms.s1_p3_distribution.diagnose import SYMPTOM
from runbook.symptoms.stream_shapes import Survey
from runbook.symptoms.verdict_look import Counts, ScorerLook, counted
from runbook.wizard.detecting import detect_one
from runbook.wizard.diagnosing import diagnose_only
from tests.pipeline.engine.workspaces import run_all


def found(workspace: Workspace) -> tuple[Detection, Diagnosis]:
    detection = detect_one(workspace, SYMPTOM, full=True)
    assert detection.verdict is Verdict.DETECTED, detection.observed
    return detection, diagnose_only(workspace, SYMPTOM, detection)[1]


def test_verdicts_that_are_gone_are_made_again(workspace: Workspace) -> None:
    shutil.rmtree(workspace.root / paths.SCORED_RUNS)
    detection, diagnosis = found(workspace)
    assert (diagnosis.cause.id, diagnosis.cause.confidence) == ("not_scored", Confidence.CERTAIN)
    assert [offer.id for offer in SYMPTOM.offers(detection, diagnosis)] == ["rescore"]


def test_without_evidence_the_way_leads_to_p2(workspace: Workspace) -> None:
    shutil.rmtree(workspace.root / paths.EVIDENCE)
    _, diagnosis = found(workspace)
    assert (diagnosis.cause.id, diagnosis.see) == ("no_evidence", "S1.P2.materialize")


def test_a_signal_that_no_line_has_any_more_is_offered_under_its_new_name(workspace: Workspace) -> None:
    for path in (workspace.root / paths.KNOWLEDGE_BASE).glob("*.jsonl"):
        if path.name.split(".")[0] not in paths.JOURNAL_STEMS:
            path.write_bytes(path.read_bytes().replace(b'"reward"', b'"points"'))
    shutil.rmtree(workspace.root / paths.REPORTS)
    shutil.rmtree(workspace.root / paths.EXPORTS)
    run_all(workspace.root)
    assert detect_one(workspace, SYMPTOM).observed == "122 runs were scored and none was accepted"
    detection, diagnosis = found(workspace)
    assert diagnosis.cause.id == "no_signal"
    assert any("no line has reward" in place for place in diagnosis.cause.places)
    ways = SYMPTOM.offers(detection, diagnosis)
    assert [offer.id for offer in ways] == ["edit-runs", "edit-chats"]
    assert ways[0].questions[0].default == "points"


def test_verdicts_are_counted_from_the_files_alone(workspace: Workspace) -> None:
    counts = counted(workspace.root)
    assert set(counts.categories) <= set(CATEGORIES)
    assert (counts.unscored, counts.orphans) == (0, 0)
    scored = workspace.root / paths.scored_file("chats")
    rows = scored.read_bytes().splitlines(keepends=True)
    scored.write_bytes(b"".join([*rows[1:], rows[1]]))
    counts = counted(workspace.root)
    assert (counts.unscored, counts.unscored_streams) == (1, ("chats",))


def diagnosed(**changes: Record) -> Diagnosis:
    """Everything as it was at the tag, and nobody accepted, but for ``changes``, by their probes."""
    counts = Counts(evidence=9, scored=9, categories={"rejected": 9}, reasons={"reward_low": 9})
    known: dict[str, Record] = {
        "verdicts": counts,
        "code": CodeHistory(source="workspace", tag="v1"),
        "settings": SettingsHistory(tag="v1"),
        "claims-score": StageClaims(stage="score", receipt="r"),
        "streams": Survey(),
    }
    detection = Detection(
        symptom_id="S1.P3.distribution",
        verdict=Verdict.DETECTED,
        observed="no run was accepted",
        read_at=1.0,
        as_of=1.0,
    )
    outputs = {
        name: ProbeOutput(probe_id=name, title=name, data=found.model_dump(mode="json"))
        for name, found in {**known, **changes}.items()
    }
    return SYMPTOM.classify(detection, outputs)


def test_runs_that_are_as_they_were_judged_are_an_honest_unknown() -> None:
    diagnosis = diagnosed()
    assert (diagnosis.cause.id, diagnosis.cause.confidence) == ("unknown", Confidence.UNKNOWN)
    assert {each.id for each in diagnosis.considered} == {cause for cause, _ in CAUSES[:-1]}


def test_a_changed_scorer_is_certain_only_where_its_own_tests_fail() -> None:
    code = CodeHistory(
        source="workspace",
        tag="v1",
        files=(ChangedFile(path="pipeline/stages/score.py", kind="changed", phase="P3"),),
    )
    likely = diagnosed(code=code, scorer=ScorerLook(passed=("A09", "A10", "A11", "A12")))
    assert (likely.cause.id, likely.cause.confidence) == ("scorer_changed", Confidence.LIKELY)
    assert Stance.AGAINST in {each.stance for each in likely.cause.evidence}
    certain = diagnosed(code=code, scorer=ScorerLook(failed=("A09: two categories differ",)))
    assert certain.cause.confidence is Confidence.CERTAIN


def test_thresholds_are_named_with_who_changed_them() -> None:
    settings = SettingsHistory.model_validate(
        {
            "tag": "v1",
            "changes": [
                {
                    "where": "scoring.accept_at",
                    "before": "0.8",
                    "after": "1.0",
                    "by": "0123456789ab Ines: stricter",
                }
            ],
        }
    )
    diagnosis = diagnosed(settings=settings)
    assert diagnosis.cause.id == "thresholds_changed"
    assert diagnosis.cause.places == (
        "distill.toml scoring.accept_at: 0.8 → 1.0 (0123456789ab Ines: stricter)",
    )
