"""Evidence that an earlier version wrote is scored, exported and explained as it lies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import IntegrityError
from pipeline.engine.written_rows import EVIDENCE_VERSION, as_evidence
from pipeline.schemas.evidence import SCHEMA_VERSION, EvidenceRecord
from tests.pipeline.engine.workspaces import engine, make_workspace, output_bytes, rows, run_all
from tests.pipeline.schemas.rows import golden


def of_version_1(row: dict[str, Any]) -> dict[str, Any]:
    older = {name: value for name, value in row.items() if name not in ("finish_reason", "flags")}
    if row["messages"] is not None:
        older["messages"] = [
            {name: value for name, value in turn.items() if name not in ("reasoning", "weight")}
            for turn in row["messages"]
        ]
    return older | {"schema_version": 1}


def test_the_engine_knows_the_version_of_the_schema() -> None:
    assert EVIDENCE_VERSION == SCHEMA_VERSION


@pytest.mark.parametrize("number", range(5))
def test_a_row_of_version_1_becomes_what_the_schema_takes(number: int) -> None:
    row = golden("evidence", number)
    lifted = as_evidence(of_version_1(row))
    EvidenceRecord.model_validate(lifted)
    assert lifted == row
    assert list(lifted) == list(row)


def test_a_row_that_a_later_engine_wrote_is_a_fault_and_one_without_a_version_is_no_evidence() -> None:
    with pytest.raises(IntegrityError, match="this engine knows 2"):
        as_evidence({**golden("evidence"), "schema_version": 3})
    for version in ("2", True, None, 0):
        with pytest.raises(KeyError):
            as_evidence({**golden("evidence"), "schema_version": version})


def _but_flags(data: bytes) -> list[dict[str, Any]]:
    return [{**json.loads(line), "flags": None} for line in data.splitlines()]


def test_score_and_export_alone_come_to_the_bytes_of_a_run(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "night")
    run_all(workspace)
    wanted = output_bytes(workspace)
    for stream in ("runs", "chats"):
        path = workspace / paths.evidence_file(stream)
        older = [of_version_1(row) for row in rows(workspace, paths.evidence_file(stream))]
        path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in older))
    for command in ("score", "export"):
        done = engine(workspace, command, "--recorded-at", "2026-01-01T00:00:00Z")
        assert done.returncode == 0, done.stderr
    found = output_bytes(workspace)
    changed = {name for name, data in wanted.items() if _but_flags(found[name]) != _but_flags(data)}
    assert changed == {str(paths.evidence_file(stream)) for stream in ("runs", "chats")}
    flags = {row["flags"] for row in rows(workspace, paths.EXPORT_FILES["sft"])}
    assert flags == {""}, "no flag is made up for what version 1 did not record"
    explained = engine(workspace, "explain", rows(workspace, paths.evidence_file("chats"))[0]["run_id"])
    assert explained.returncode == 0, explained.stderr
    what_if = engine(workspace, "score", "--what-if", "partial_at=0.7")
    assert what_if.returncode == 0, what_if.stderr
    assert "left out" not in what_if.stdout + what_if.stderr
