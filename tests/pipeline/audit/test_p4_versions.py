"""Exports of both versions are judged as what their manifest says they are; a file never mixes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.audit.p4_exports import exports_valid, preference_pairs
from pipeline.contracts import paths
from pipeline.schemas.golden_rows import GOLDEN_FOLDER
from tests.pipeline.audit.audited import view_of
from tests.pipeline.engine.workspaces import encoded, flat_line, make_workspace, run_all


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = make_workspace(tmp_path / "w", {"runs-a.jsonl": encoded([flat_line(n) for n in range(10)])})
    run_all(made)
    return made


def older(export: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads((GOLDEN_FOLDER / export / "version-1.jsonl").read_text().splitlines()[0])
    return row


@pytest.mark.parametrize("export", ["sft", "preference", "rag"])
def test_a_row_of_an_earlier_version_among_todays_is_a_finding(workspace: Path, export: str) -> None:
    assert exports_valid(view_of(workspace)).failed == 0
    path = workspace / paths.EXPORT_FILES[export]
    path.write_bytes(path.read_bytes() + encoded([older(export)]))
    found = exports_valid(view_of(workspace))
    assert [example.text for example in found.examples] == ["a row of version 1 in a file of version 2"]


def test_a_row_of_today_in_a_file_of_an_earlier_version_is_a_finding(workspace: Path) -> None:
    manifest = json.loads((workspace / paths.EXPORT_MANIFEST).read_text())
    manifest["schemas"]["sft"] = 1
    (workspace / paths.EXPORT_MANIFEST).write_text(json.dumps(manifest))
    found = exports_valid(view_of(workspace))
    rows = len((workspace / paths.SFT_EXPORT).read_bytes().splitlines())
    assert (found.failed, found.examples[0].text) == (rows, "a row of version 2 in a file of version 1")


@pytest.mark.parametrize("spelling", ["conversation of today", "flat of version 1"])
def test_equal_sides_of_a_pair_are_seen_in_either_version(workspace: Path, spelling: str) -> None:
    path = workspace / paths.PREFERENCE_EXPORT
    row = json.loads(path.read_bytes().splitlines()[0])
    if spelling == "conversation of today":
        call = '[{"id":"%s","name":"f","arguments":"{}"}]'
        turn = row["chosen"][0]
        row["chosen"] = [{**turn, "content": "", "tool_calls": call.replace("%s", "c1")}]
        row["rejected"] = [{**turn, "content": "", "tool_calls": call.replace("%s", "c2")}]
    else:
        row["chosen"], row["rejected"] = "the same text ", "the same text"
    path.write_bytes(encoded([row]))
    found = preference_pairs(view_of(workspace))
    assert [example.text for example in found.examples] == ["both sides hold the same text"]
