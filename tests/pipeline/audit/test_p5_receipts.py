"""Whatever byte of a claim is changed, P5 sees it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.audit import p5_receipts
from pipeline.audit.recount import recounted
from pipeline.contracts import paths
from tests.pipeline.audit.audited import edit_rows, run_folder, view_of
from tests.pipeline.engine.workspaces import engine

# Every byte was tried once; this many lie between two that are tried in each run of the tests.
STRIDE = 97


def failures(workspace: Path) -> int:
    view = view_of(workspace)
    return p5_receipts.summary_valid(view).failed + p5_receipts.receipts_match(view).failed


@pytest.mark.parametrize(
    "claim", ["summary.json", "receipts/materialize.json", "receipts/score.json", "receipts/export.json"]
)
def test_a_byte_of_a_claim_that_was_changed_is_seen(workspace: Path, claim: str) -> None:
    path = run_folder(workspace) / claim
    data = path.read_bytes()
    unseen = []
    for position in range(0, len(data), STRIDE):
        changed = bytearray(data)
        changed[position] ^= 0x01
        path.write_bytes(bytes(changed))
        if not failures(workspace):
            unseen.append(position)
    assert unseen == []
    path.write_bytes(data)
    assert failures(workspace) == 0


def test_a_receipt_and_the_summary_that_were_changed_together_still_fail_the_recount(workspace: Path) -> None:
    """Whoever also repairs the digests has to repair the data."""
    view = view_of(workspace)
    receipt = view.last_run.receipts["export"].value
    assert receipt is not None
    receipt["counts"]["rag"] += 1
    outcome = p5_receipts.receipts_match(view)
    told = " ".join(example.text for example in outcome.examples)
    assert "counts.rag is" in told
    assert "run_hash recomputes to" not in told.split("counts.rag")[0]


def test_every_claim_is_recomputed(workspace: Path) -> None:
    outcome = p5_receipts.receipts_match(view_of(workspace))
    assert outcome.failed == 0
    assert outcome.examined > 40


@pytest.mark.parametrize("stage", ["materialize", "score", "export"])
def test_each_count_of_a_receipt_is_counted_again(workspace: Path, stage: str) -> None:
    """One too many is told with its name and both numbers, and nothing else is."""
    view = view_of(workspace)
    receipt = view.last_run.receipts[stage].value
    assert receipt is not None
    again = recounted(view)
    assert list(again.differences(stage, receipt)) == []
    places = [("counts", receipt["counts"]), ("reasons", receipt["reasons"])]
    places += [(f"by_stream.{name}", counts) for name, counts in receipt["by_stream"].items()]
    for where, counts in places:
        for key in (*counts, "made_up"):
            if key.startswith("lost_"):  # what was there once, no row can tell
                continue
            was = counts.get(key)
            claimed = (was or 0) + 1
            counts[key] = claimed
            assert list(again.differences(stage, receipt)) == [
                f"{where}.{key} is {was or 0:,}, and the receipt says {claimed:,}"
            ]
            counts.pop(key) if was is None else counts.update({key: was})


def test_a_source_that_was_rotated_away_is_told_and_no_failure(workspace: Path) -> None:
    (workspace / "data/_kb/chats.jsonl").unlink()
    outcome = p5_receipts.receipts_match(view_of(workspace))
    assert outcome.failed == 0
    assert "source_gone: 1 (data/_kb/chats.jsonl)" in outcome.detail


def test_a_claim_that_leads_out_of_the_workspace_is_not_followed(workspace: Path) -> None:
    view = view_of(workspace)
    receipt = view.last_run.receipts["score"].value
    assert receipt is not None
    receipt["outputs"][0]["path"] = "../../etc/passwd"
    outcome = p5_receipts.receipts_match(view)
    assert any("outside of the workspace" in example.text for example in outcome.examples)


def test_a_summary_of_another_shape_fails_and_raises_nothing(workspace: Path) -> None:
    for text in ("[]", "{", "null", '{"ok": true}', '{"stages": 3, "counts": [], "streams": null}'):
        (run_folder(workspace) / "summary.json").write_text(text, encoding="utf-8")
        assert failures(workspace) > 0


def test_a_newer_run_that_failed_is_validated_and_does_not_hide_the_one_that_stands(workspace: Path) -> None:
    (workspace / "data/_kb/runs-a.jsonl").write_bytes(b"{}\n")
    (workspace / "data/_kb/runs-b.jsonl").unlink()
    (workspace / "data/_kb/chats.jsonl").unlink()
    stood = view_of(workspace).last_run.pipeline_run_id
    assert engine(workspace, "run-all").returncode == 1  # the exports would become empty
    view = view_of(workspace)
    assert view.last_run.pipeline_run_id == stood
    assert p5_receipts.summary_valid(view).examined == 2
    assert p5_receipts.summary_valid(view).failed == 0


def test_without_any_run_both_checks_fail(tmp_path: Path, workspace: Path) -> None:
    shutil.rmtree(workspace / paths.REPORTS)
    shutil.rmtree(workspace / paths.STATE)
    view = view_of(workspace)
    assert p5_receipts.summary_valid(view).failed == 1
    assert p5_receipts.receipts_match(view).failed == 1


def test_the_run_that_stands_is_found_without_the_remembered_state(workspace: Path) -> None:
    stood = view_of(workspace).last_run.pipeline_run_id
    shutil.rmtree(workspace / paths.STATE)
    assert view_of(workspace).last_run.pipeline_run_id == stood


def test_a_dropped_row_is_named_by_file_and_number(workspace: Path) -> None:
    edit_rows(workspace, paths.RAG_EXPORT, lambda rows: rows.pop())
    outcome = p5_receipts.receipts_match(view_of(workspace))
    told = {example.file for example in outcome.examples}
    assert str(paths.RAG_EXPORT) in told
