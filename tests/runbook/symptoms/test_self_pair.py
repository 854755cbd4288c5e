"""S1.P4.self-pair where the drills do not go: other causes, containment, and the look at the file."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.moments import iso_utc
from pipeline.contracts.status import Verdict
from runbook.probes.evidence import Confidence
from runbook.probes.workspace import Workspace
from runbook.symptoms.s1_p4_self_pair import CHECKS, MISSING, PAIRS, STALE
from runbook.symptoms.s1_p4_self_pair.diagnose import SYMPTOM, bad_pairs, detect, rerun
from runbook.symptoms.s1_p4_self_pair.glance import glance
from runbook.wizard.diagnosing import diagnose_only
from tests.runbook.workspaces import SFT

SCORED = "data/scored-runs/runs.jsonl"


def test_verdicts_that_changed_since_make_the_export_stale(workspace: Workspace) -> None:
    scored = workspace.root / SCORED
    pair = json.loads((workspace.root / PAIRS).read_bytes().splitlines()[0])
    rows = [json.loads(line) for line in scored.read_bytes().splitlines()]
    for row in rows:
        if row["run_id"] == pair["chosen_run_id"]:
            row["category"] = "rejected"
    scored.write_text("".join(json.dumps(row) + "\n" for row in rows))
    detection = rerun(workspace)
    assert detection.verdict is Verdict.DETECTED
    _, diagnosis = diagnose_only(workspace, SYMPTOM, detection)
    assert (diagnosis.cause.id, diagnosis.cause.confidence) == (STALE, Confidence.CERTAIN)
    assert SCORED in [line for each in diagnosis.cause.evidence for line in each.lines]
    assert [each.id for each in SYMPTOM.offers(detection, diagnosis)] == ["re-export", "quarantine"]


def test_an_export_that_is_gone_is_made_again_and_one_that_is_quarantined_is_contained(
    workspace: Workspace,
) -> None:
    pairs = workspace.root / PAIRS
    quarantined = pairs.rename(pairs.with_name(f"{pairs.name}.QUARANTINED-1700000000"))
    assert rerun(workspace).verdict is Verdict.UNKNOWN
    quarantined.unlink()
    detection = rerun(workspace)
    assert detection.verdict is Verdict.DETECTED
    _, diagnosis = diagnose_only(workspace, SYMPTOM, detection)
    assert (diagnosis.cause.id, diagnosis.cause.confidence) == (MISSING, Confidence.CERTAIN)
    assert [each.title for each in SYMPTOM.offers(detection, diagnosis)] == [
        "Export again, from today's verdicts"
    ]


def test_what_else_is_wrong_with_a_leaking_sft_export_stands_beneath_the_leak(workspace: Workspace) -> None:
    line = (workspace.root / SFT).read_bytes().splitlines(keepends=True)[0]
    with (workspace.root / SFT).open("ab") as file:
        file.write(line)
    detection = rerun(workspace)
    assert (detection.verdict, detection.explained_by) == (Verdict.DETECTED, ("S1.P4.sft-leak",))
    (workspace.root / "exports/rag/playbooks.jsonl").write_text("")
    assert rerun(workspace).explained_by == ()


def test_without_an_audit_a_self_pair_is_seen_all_the_same(workspace: Workspace) -> None:
    assert detect(workspace).verdict is Verdict.UNKNOWN
    row = json.loads((workspace.root / PAIRS).read_bytes().splitlines()[0])
    with (workspace.root / PAIRS).open("a") as file:
        file.write(json.dumps({**row, "rejected_run_id": row["chosen_run_id"]}) + "\n")
    detection = detect(workspace)
    assert (detection.verdict, detection.source) == (Verdict.DETECTED, "live")
    assert detection.observed == f"{PAIRS}:51: both sides are run {row['chosen_run_id']}"


@pytest.mark.parametrize(("audited", "is_confirmed"), [(60.0, True), (-3600.0, False)])
def test_a_pair_that_the_last_audit_told_is_told_in_its_words_and_since_its_time(
    workspace: Workspace, audited: float, is_confirmed: bool
) -> None:
    row = json.loads((workspace.root / PAIRS).read_bytes().splitlines()[0])
    with (workspace.root / PAIRS).open("a") as file:
        file.write(json.dumps({**row, "rejected_run_id": row["chosen_run_id"]}) + "\n")
    red = {"id": CHECKS[0], "phase": "P4", "status": "fail", "detail": "1 of 51 pairs"}
    report = workspace.root / paths.AUDIT_DATA
    report.write_text(json.dumps({"finished_at": iso_utc(time.time() + audited), "checks": [red]}))
    told, seen = glance(workspace.facts()), detect(workspace)
    assert (told.is_detected, bool(told.stale)) == (True, not is_confirmed)
    assert seen.verdict is Verdict.DETECTED
    assert ((seen.observed, seen.as_of) == (told.observed, told.as_of)) is is_confirmed
    assert seen.evidence[0].source == f"{PAIRS}:51", "the rows are named in any case"


def _turn(role: str, content: str | None, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def _called(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As rows of version 2 hold it: calls are JSON text."""
    return [_turn("assistant", "", tool_calls=json.dumps(calls))]


CALL = {"id": "1", "name": "look", "arguments": "{}"}


@pytest.mark.parametrize(
    ("chosen", "rejected", "same"),
    [
        ("stop it", "stop it", True),
        ("stop it \r\n", "stop it", True),
        ("stop  it", "stop it", False),
        ("caf\u00e9", "cafe\u0301", True),
        ("10²", "102", False),
        ("stop it", "start it", False),
        (
            [_turn("assistant", "up"), _turn("tool", "1")],
            [_turn("assistant", "up "), _turn("tool", "2")],
            True,
        ),
        ([_turn("assistant", None, tool_calls=[CALL])], [_turn("assistant", None)], False),
        (_called([CALL]), _called([{**CALL, "name": "stop"}]), False),
        (_called([{**CALL, "id": "1"}]), _called([{**CALL, "id": "2"}]), True),
        ([_turn("assistant", "", tool_calls="[torn")], [_turn("assistant", "", tool_calls="")], False),
    ],
)
def test_texts_are_compared_as_the_audit_compares_them(
    tmp_path: Path, chosen: object, rejected: object, same: bool
) -> None:
    row = {"id": "pref-1", "chosen_run_id": "a/1", "rejected_run_id": "a/2"}
    path = tmp_path / PAIRS
    path.parent.mkdir(parents=True)
    path.write_text("{broken\n" + json.dumps({**row, "chosen": chosen, "rejected": rejected}) + "\n")
    found = bad_pairs(tmp_path)
    assert found is not None
    assert [(each.line, each.says) for each in found] == ([(2, "both sides are the same text")] * same)


def test_a_file_too_large_for_a_live_look_is_left_to_the_audit(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runbook.symptoms.s1_p4_self_pair.diagnose.MOST_BYTES", 1000)
    assert bad_pairs(workspace.root) is None
