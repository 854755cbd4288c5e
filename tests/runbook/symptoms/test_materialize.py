"""S1.P2.materialize: what the drills do not plant. Settings, lines and outputs as causes; golden lines."""

from __future__ import annotations

import json

import pytest

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from pipeline.reading.settings_glance import StreamGlance
from runbook.actions.golden_line import plan_golden_line
from runbook.change.refusals import RefusedError
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Stance
from runbook.probes.workspace import Workspace
from runbook.symptoms.field_renames import paths_of, renames_of
from runbook.symptoms.s1_p2_materialize.diagnose import SYMPTOM
from runbook.wizard.detecting import detect_one
from runbook.wizard.diagnosing import diagnose_only
from tests.pipeline.engine.workspaces import run_all
from tests.runbook.workspaces import planning

CHATS = "data/_kb/chats.jsonl"


def found(workspace: Workspace) -> tuple[Detection, Diagnosis]:
    """By the checks themselves, as a wizard verifies."""
    detection = detect_one(workspace, SYMPTOM, full=True)
    assert detection.verdict is Verdict.DETECTED, detection.observed
    return detection, diagnose_only(workspace, SYMPTOM, detection)[1]


def test_a_filter_that_lets_nothing_through_is_named_and_restored(workspace: Workspace) -> None:
    settings = workspace.root / paths.SETTINGS
    glob = 'path = "data/_kb/chats*.jsonl"'
    text = settings.read_text().replace(glob, f'{glob}\nwhere = {{ path = "task", equals = "none" }}')
    settings.write_text(text)
    detection, diagnosis = found(workspace)
    assert (diagnosis.cause.id, diagnosis.cause.confidence) == ("settings_changed", Confidence.CERTAIN)
    assert any("stream.chats.where: not set →" in place for place in diagnosis.cause.places)
    assert [offer.id for offer in SYMPTOM.offers(detection, diagnosis)] == ["restore-settings"]


def test_lines_that_are_no_json_are_not_taken_for_another_shape(workspace: Workspace) -> None:
    (workspace.root / CHATS).write_text("no json\n" * 5)
    detection, diagnosis = found(workspace)
    assert diagnosis.cause.id == "unusable_lines"
    assert any("malformed_json 5" in place for place in diagnosis.cause.places)
    assert SYMPTOM.offers(detection, diagnosis) == ()


def test_without_any_line_the_way_leads_to_the_missing_sources(workspace: Workspace) -> None:
    for path in (workspace.root / paths.KNOWLEDGE_BASE).glob("*-?.jsonl"):
        path.write_bytes(b"")
    (workspace.root / CHATS).write_bytes(b"")
    _, diagnosis = found(workspace)
    assert (diagnosis.cause.id, diagnosis.see) == ("sources_empty", "S1.P0.source-missing")


def test_evidence_that_somebody_edited_is_told_from_a_source_that_was_rewritten(
    workspace: Workspace,
) -> None:
    evidence = workspace.root / paths.evidence_file("chats")
    rows = evidence.read_bytes()
    evidence.write_bytes(rows.replace(b'"byte_offset":0', b'"byte_offset":7', 1))
    detection, diagnosis = found(workspace)
    assert (diagnosis.cause.id, diagnosis.cause.confidence) == ("outputs_touched", Confidence.CERTAIN)
    assert str(paths.evidence_file("chats")) in diagnosis.cause.places[0]
    assert [offer.id for offer in SYMPTOM.offers(detection, diagnosis)] == ["rerun"]
    evidence.write_bytes(rows)
    source = workspace.root / CHATS
    source.write_bytes(source.read_bytes().replace(b"Be brief.", b"Be short.", 1))
    detection, diagnosis = found(workspace)
    assert (diagnosis.cause.id, diagnosis.cause.confidence) == ("source_rewritten", Confidence.CERTAIN)
    assert [offer.id for offer in SYMPTOM.offers(detection, diagnosis)] == ["rerun"]


def test_a_stream_that_yielded_nothing_rings_at_once_without_an_audit(workspace: Workspace) -> None:
    assert detect_one(workspace, SYMPTOM).verdict is Verdict.UNKNOWN
    source = workspace.root / CHATS
    source.write_bytes(source.read_bytes().replace(b'"task"', b'"case"'))
    run_all(workspace.root)
    detection = detect_one(workspace, SYMPTOM)
    assert detection.verdict is Verdict.DETECTED
    assert detection.observed == "stream chats has 20 lines and yielded no row"
    assert detection.source.endswith("/summary.json")


def test_a_renamed_reward_is_no_drift_and_its_new_name_is_offered(workspace: Workspace) -> None:
    source = workspace.root / CHATS
    source.write_bytes(source.read_bytes().replace(b'"reward"', b'"points"'))
    run_all(workspace.root, "--allow-shrink")
    # The run itself tells it, and the checks confirm it.
    assert "no row has reward (20 rows had it) any more" in detect_one(workspace, SYMPTOM).observed
    detection, diagnosis = found(workspace)
    assert (diagnosis.cause.id, diagnosis.cause.confidence) == ("source_shape", Confidence.CERTAIN)
    (unread,) = [each for each in diagnosis.cause.evidence if each.says == "No rule reads these."]
    assert (unread.stance, unread.lines) == (Stance.FOR, ("reward → points: in 20 lines, a number",))
    (edit,) = SYMPTOM.offers(detection, diagnosis)
    assert edit.title == "Let stream chats read points instead of reward"
    assert edit.questions[0].default == "points"
    told = [words for question in edit.questions for _, words in question.choices]
    assert told[0].startswith("points: in "), "the answer is named, and not only what speaks for it"
    assert [words.split(":")[0] for words in told[-2:]] == ["Yes", "No"]
    answers = {question.id: question.default or "" for question in edit.questions}
    with pytest.raises(RefusedError, match="Every name was left as it is"):
        edit.make(planning(workspace), {**answers, edit.questions[0].id: "leave"})


def stream(**fields: object) -> StreamGlance:
    return StreamGlance("s", 1, "source", ("x",), {"fields": fields})


def test_a_new_name_is_ranked_by_the_kind_of_its_value_before_its_likeness() -> None:
    asked = paths_of(stream(task_id="task", reward="outcome.score"))
    line = {"task": "t", "outcome": {"scorer": "tests", "points": 0.5}}
    found = renames_of(("outcome.score",), {"outcome.scorer": 9, "outcome.points": 9}, line, asked, 9)
    assert [each.new for each in found] == ["outcome.points", "outcome.scorer"]
    assert found[0].fields == ("reward",)


def test_a_group_asks_for_its_key_and_its_order() -> None:
    rules = {"fields": {"task_id": "t"}, "group": {"by": "session", "order": {"path": "at"}}}
    assert set(paths_of(StreamGlance("s", 1, "source", ("x",), rules))) == {"t", "session", "at"}


@pytest.mark.parametrize(
    ("gone", "seen", "pair"),
    [
        ("traj[1].content", "conversation", ("traj", "conversation")),
        ("info.task.instruction", "info.job", ("info.task", "info.job")),
        ("reward", "result.reward", ("reward", "result.reward")),
        ("a[0].b", "a[].c", ("a[0].b", "a[0].c")),
    ],
)
def test_old_and_new_differ_in_one_name_or_moved(gone: str, seen: str, pair: tuple[str, str]) -> None:
    found = renames_of((gone,), {seen: 1}, None, {}, 1)
    assert [(each.old, each.new) for each in found] == [pair]


def test_an_expression_is_never_renamed() -> None:
    assert paths_of(stream(task_id="length(turns)", goal={"const": "turns"})) == {}
    assert renames_of(("length(turns)",), {"dialogue": 1}, None, {}, 1) == []


def test_a_golden_line_goes_into_the_tests_or_says_that_none_read_it(workspace: Workspace) -> None:
    draft = plan_golden_line(planning(workspace), "chats", "turns", ["messages"])
    (step,) = draft.plan.steps
    assert getattr(step, "path", "") == "docs/recon/golden/chats.jsonl"
    assert any("no tests/" in note for note in draft.plan.notes)
    (workspace.root / "tests").mkdir()
    (step,) = plan_golden_line(planning(workspace), "chats", "turns[0].role", ["messages"]).plan.steps
    assert getattr(step, "path", "") == "tests/golden/chats.jsonl"
    kept = json.loads(getattr(step, "line", "{}"))
    assert (kept["gives"], "turns" in kept["line"]) == (["messages"], True)
    with pytest.raises(RefusedError, match="None of the first lines"):
        plan_golden_line(planning(workspace), "chats", "nowhere", [])
