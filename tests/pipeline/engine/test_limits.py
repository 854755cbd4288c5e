"""The limits of ``[export.*]`` in a run: the same rows however the work is divided, each refusal told."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from tests.pipeline.engine.workspaces import (
    SETTINGS,
    encoded,
    engine,
    flat_line,
    make_workspace,
    output_bytes,
    run_all,
)

LIMITED = """\
[export]
pii = "refuse"
[export.rag]
categories = ["accepted"]
[export.sft]
max_per_task = 1
max_rows = 12
[export.sft.partial_at]
runs = 0.7
[export.sft.stream_caps]
chats = 5
[export.preference]
categories = ["accepted"]
max_rows = 6
[export.preference.stream_caps]
chats = 2
"""


def rows(workspace: Path, relative: Path | Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (workspace / relative).read_bytes().splitlines()]


def limited(folder: Path, settings: str = LIMITED, sources: dict[str, bytes] | None = None) -> Path:
    workspace = make_workspace(folder, sources)
    (workspace / paths.SETTINGS).write_text(settings + SETTINGS)
    return workspace


def refused(workspace: Path, export: str) -> Counter[str]:
    return Counter(row["reason"] for row in rows(workspace, paths.QUARANTINE_FILES[export]))


def test_limits_hold_and_each_row_has_its_reason(tmp_path: Path) -> None:
    workspace = limited(tmp_path / "w")
    counts = run_all(workspace)["counts"]
    sft = rows(workspace, paths.SFT_EXPORT)
    assert counts["sft"] == len(sft) == 12
    assert Counter(row["stream"] for row in sft)["chats"] <= 5
    assert max(Counter((row["stream"], row["task_id"]) for row in sft).values()) == 1
    assert {row["quality_score"] for row in sft} == {"accepted"}
    assert refused(workspace, "sft").keys() >= {"task_cap", "row_cap", "stream_cap", "below_partial_at"}
    playbooks = rows(workspace, paths.RAG_EXPORT)
    assert max(Counter((row["stream"], row["task_id"]) for row in playbooks).values()) == 1
    assert refused(workspace, "rag").keys() >= {"better_playbook", "category_left_out"}
    pairs = rows(workspace, paths.PREFERENCE_EXPORT)
    assert len(pairs) == 6
    assert Counter(row["stream"] for row in pairs)["chats"] <= 2
    assert {row["reason"].split("_over_")[0] for row in pairs} == {"accepted"}
    assert refused(workspace, "preference").keys() >= {"row_cap", "stream_cap"}
    for export in paths.EXPORT_FILES:
        used = 2 if export == "preference" else 1
        assert counts[export] * used + counts[f"quarantined_{export}"] == counts["scored"]


@pytest.mark.parametrize("division", [("--workers", "1", "--chunk-bytes", "1KiB"), ("--workers", "3")])
def test_the_rows_are_the_same_however_the_work_is_divided(tmp_path: Path, division: tuple[str, ...]) -> None:
    expected = run_all(limited(tmp_path / "a"))["run_hash"]
    workspace = limited(tmp_path / "b")
    assert run_all(workspace, *division)["run_hash"] == expected
    again = engine(workspace, "export")
    assert again.returncode == 0, again.stderr


def test_a_run_with_personal_data_is_told_and_with_refuse_left_out(tmp_path: Path) -> None:
    lines = [flat_line(number) for number in range(10)]
    lines[0]["said"] += " Ask ann@acme.io or call (415) 555-2671."
    told = limited(tmp_path / "a", "", {"runs-a.jsonl": encoded(lines)})
    finished = engine(told, "run-all")
    assert "sft: runs in its rows hold personal data: email in 1, phone in 1" in finished.stderr
    kept_out = limited(tmp_path / "b", '[export]\npii = "refuse"\n', {"runs-a.jsonl": encoded(lines)})
    run_all(kept_out)
    for export in paths.EXPORT_FILES:
        found = [
            row for row in rows(kept_out, paths.QUARANTINE_FILES[export]) if row["reason"] == "pii_found"
        ]
        assert [row["detail"] for row in found] == ["email phone"]


def shrunk(workspace: Path, kept: int) -> None:
    """Most rewards are called something else now, so that most runs go to review."""
    lines = [flat_line(number) for number in range(60)]
    for line in lines[kept:]:
        line["points"] = line.pop("reward")
    (workspace / paths.KNOWLEDGE_BASE / "runs-a.jsonl").write_bytes(encoded(lines))


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    lines = [flat_line(number) for number in range(60)]
    workspace = limited(tmp_path / "w", "", {"runs-a.jsonl": encoded(lines)})
    assert run_all(workspace)["counts"]["sft"] == 36
    return workspace


def test_an_export_that_shrinks_by_more_than_half_keeps_the_last_good_one(standing: Path) -> None:
    before = output_bytes(standing)
    shrunk(standing, 25)
    finished = engine(standing, "run-all")
    assert finished.returncode == 1
    assert "exports/sft/instruction_response.jsonl would shrink from 36 rows to 15" in finished.stderr
    assert "category_not_allowed refuses 45 runs, 24 before" in finished.stderr
    assert output_bytes(standing) == before
    assert run_all(standing, "--allow-shrink")["counts"]["sft"] == 15
    assert run_all(standing)["counts"]["sft"] == 15  # once allowed, it is what stands


def test_half_may_go_and_the_setting_moves_the_line(standing: Path) -> None:
    shrunk(standing, 30)
    assert run_all(standing)["counts"]["sft"] == 18
    (standing / paths.SETTINGS).write_text("[export]\nmax_shrink = 0.0\n" + SETTINGS)
    shrunk(standing, 25)
    assert engine(standing, "run-all").returncode == 1
    (standing / paths.SETTINGS).write_text("[export]\nmax_shrink = 1.0\n" + SETTINGS)
    shrunk(standing, 5)
    assert run_all(standing)["counts"]["sft"] == 3


def test_skipped_lines_are_named_when_they_are_what_grew(standing: Path) -> None:
    lines: list[Any] = [flat_line(number) for number in range(60)]
    for line in lines[20:]:
        del line["task"]
    (standing / paths.KNOWLEDGE_BASE / "runs-a.jsonl").write_bytes(encoded(lines))
    finished = engine(standing, "run-all")
    assert finished.returncode == 1
    assert "missing_field skips 40 lines, 0 before" in finished.stderr


def test_exports_of_an_older_release_may_lose_what_a_later_rule_takes(standing: Path) -> None:
    """The manifest of the first release says nothing of schemas, and its run knew no such rule."""
    manifest = standing / paths.EXPORT_MANIFEST
    said = json.loads(manifest.read_bytes())
    said.pop("schemas", None)
    for file in said["files"]:
        if file["path"].startswith("rag/"):
            file["rows"] = 36
    manifest.write_text(json.dumps(said))
    assert run_all(standing, "--no-cache")["counts"]["rag"] == 12
