"""A field that rows had and none has any more: a run says so until it is found again, or not asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.audit import p2_evidence, p5_receipts
from pipeline.audit.rows import FilledRow, RowFile
from pipeline.audit.workspace_view import WorkspaceView
from pipeline.contracts import paths
from pipeline.contracts.evidence_fields import FIELDS, mask_of, rows_by_field, usual_fields
from pipeline.reading.past_runs import last_committed
from pipeline.schemas.evidence import EvidenceRecord
from pipeline.settings.load import load_settings
from pipeline.settings.rules import StreamFields
from tests.pipeline.engine.workspaces import encoded, engine, make_workspace, rows, run_all

CHATS = paths.KNOWLEDGE_BASE / "chats.jsonl"
LOST = "lost_field: stream chats: no row has reward (20 rows had it) any more"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = make_workspace(tmp_path / "w")
    run_all(made)
    return made


def rename(workspace: Path, old: str, new: str) -> None:
    source = workspace / CHATS
    source.write_bytes(source.read_bytes().replace(f'"{old}":'.encode(), f'"{new}":'.encode()))


def lost(summary: dict[str, Any]) -> list[str]:
    return [words for words in summary["warnings"] if words.startswith("lost_field: ")]


def audited(workspace: Path) -> tuple[int, int]:
    view = WorkspaceView(workspace, load_settings(workspace).settings)
    return p2_evidence.dry_run(view).failed, p5_receipts.receipts_match(view).failed


def test_every_field_of_evidence_that_a_rule_fills_is_counted() -> None:
    of_rules = set(StreamFields.model_fields) - {"task_id", "environment_error"}
    assert set(FIELDS) == of_rules & set(EvidenceRecord.model_fields)
    assert set(FIELDS) == of_rules
    assert set(FIELDS) <= set(FilledRow.__struct_fields__)


def test_an_empty_text_and_a_zero_are_values_and_an_empty_list_is_none(tmp_path: Path) -> None:
    row = {"response": "", "reward": 0.0, "tags": [], "validation": {}, "messages": None, "tokens": 7}
    assert rows_by_field({mask_of(row): 3}) == {"response": 3, "reward": 3, "tokens": 3}
    provenance = {"source_file": "f", "line": 1, "byte_offset": 0, "sig_hash": "0", "part": 0}
    written = {"run_id": "r", "task_id": "t", "stream": "s", "provenance": provenance, **row}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(written) + "\n" + json.dumps(written, separators=(",", ":")) + "\n")
    for _, read in RowFile(path, "rows.jsonl", FilledRow):
        assert read.mask() == mask_of(row)


def test_what_few_rows_have_is_not_missed() -> None:
    counts = {
        "evidence": 100,
        "found_reward": 100,
        "found_tags": 10,
        "found_human_override": 9,
        "lost_goal": 4,
    }
    assert usual_fields(counts) == {"reward": 100, "tags": 10, "goal": 4}
    assert usual_fields({"evidence": 100}) == {}


def test_a_renamed_field_is_named_until_it_is_found_again(workspace: Path) -> None:
    assert audited(workspace) == (0, 0)
    rename(workspace, "reward", "points")
    # The source alone has changed: the audit sees it before any run does.
    assert audited(workspace)[0] == 1
    checked = engine(workspace, "streams", "check", "--json", "--stream", "chats")
    assert json.loads(checked.stdout)["streams"][0]["fields_lost"] == {"reward": 20}
    for _ in range(3):
        # The second run reads other lines, the third finds nothing changed.
        (said,) = lost(run_all(workspace, "--allow-shrink"))
        assert said.startswith(LOST)
        assert audited(workspace) == (1, 0)
        run = last_committed(workspace)
        assert run is not None
        assert run.lost_fields("chats") == {"reward": 20}
        assert run.lost_fields("runs") == {}
        if len(rows(workspace, paths.evidence_file("chats"))) == 20:
            source = workspace / CHATS
            source.write_bytes(
                source.read_bytes()
                + source.read_bytes().splitlines(keepends=True)[0].replace(b"seen", b"read")
            )
    rename(workspace, "points", "reward")
    assert lost(run_all(workspace)) == []
    assert audited(workspace) == (0, 0)


def test_an_export_that_would_be_emptied_or_shrunk_names_the_field_that_is_lost(tmp_path: Path) -> None:
    lines = [
        {"id": str(number), "ask": f"a {number}", "said": f"b {number}", "reward": number % 2}
        for number in range(8)
    ]
    settings = '[[stream]]\nname = "chats"\npath = "data/_kb/chats.jsonl"\n[stream.fields]\n' + (
        'task_id = "id"\ninstruction = "ask"\nresponse = "said"\nreward = "reward"\n'
    )
    made = make_workspace(tmp_path / "w", {"chats.jsonl": encoded(lines)}, settings)
    run_all(made)
    rename(made, "reward", "points")
    refused = engine(made, "run-all")
    assert refused.returncode == 1
    said = " ".join(refused.stderr.split())
    assert "would become empty" in said
    assert "category_not_allowed refuses 8 runs, 4 before" in said
    assert "stream chats: no row has reward (8 rows had it) any more" in said
    assert "distill streams check" in said


def test_a_field_that_no_rule_asks_for_any_more_is_not_lost(workspace: Path) -> None:
    rename(workspace, "reward", "points")
    settings = workspace / paths.SETTINGS
    head, chats = settings.read_text("utf-8").split('name = "chats"')
    settings.write_text(head + 'name = "chats"' + chats.replace('reward = "reward"\n', ""), "utf-8")
    assert lost(run_all(workspace, "--allow-shrink")) == []
    assert audited(workspace) == (0, 0)


def test_a_receipt_that_counts_no_fields_says_nothing_of_them(workspace: Path) -> None:
    run = last_committed(workspace)
    assert run is not None
    receipt = workspace / paths.receipts_folder(run.pipeline_run_id) / "materialize.json"
    body = json.loads(receipt.read_bytes())
    for counts in body["by_stream"].values():
        for key in [key for key in counts if key.startswith("found_")]:
            del counts[key]
    receipt.write_text(json.dumps(body, indent=2) + "\n", "utf-8")
    view = WorkspaceView(workspace, load_settings(workspace).settings)
    # Its digest in the summary is another now; what it counts is not.
    assert "by_stream" not in p5_receipts.receipts_match(view).detail
    rename(workspace, "reward", "points")
    assert audited(workspace)[0] == 0
    assert lost(run_all(workspace, "--allow-shrink")) == []


def test_a_stream_of_a_lower_tier_is_told_and_fails_nothing(workspace: Path) -> None:
    settings = workspace / paths.SETTINGS
    settings.write_text(
        settings.read_text("utf-8").replace('name = "chats"', 'name = "chats"\ntier = 2'), "utf-8"
    )
    rename(workspace, "reward", "points")
    assert len(lost(run_all(workspace, "--allow-shrink"))) == 1
    assert audited(workspace) == (0, 0)
