"""SFT is guarded by three walls that know nothing of each other; each must hold alone."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from pipeline.contracts import paths
from pipeline.contracts.discovery import firewall_argv
from pipeline.contracts.faults import ExitCode
from pipeline.schemas.validators import validate_sft
from pipeline.stages import export_sft
from pipeline.stages.refusals import QuarantineReason, Refusal
from tests.pipeline.stages.builders import OPTIONS, conversation, evidence, scored

FORBIDDEN = [
    pytest.param(evidence(1, verdict="fail"), "rejected", id="flat-rejected"),
    pytest.param(evidence(2), "needs_human_review", id="flat-review"),
    pytest.param(conversation(3, reward=0.0), "rejected", id="conversation-rejected"),
    pytest.param(conversation(4, verdict="error"), "needs_human_review", id="conversation-review"),
]


def with_a_loosened_never_list(row: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(export_sft, "SFT_NEVER", frozenset())
    made = export_sft.sft_row(row, scored(row), OPTIONS)
    assert not isinstance(made, Refusal), "something else than the never-list refused the run"
    return made


@pytest.mark.parametrize(("row", "category"), FORBIDDEN)
def test_the_exporter_refuses_alone(row: dict[str, Any], category: str) -> None:
    assert scored(row)["category"] == category
    assert export_sft.sft_row(row, scored(row), OPTIONS) == Refusal(QuarantineReason.CATEGORY_NOT_ALLOWED)


@pytest.mark.parametrize(("row", "category"), FORBIDDEN)
def test_the_schema_refuses_alone(
    row: dict[str, Any], category: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = with_a_loosened_never_list(row, monkeypatch)
    assert made["quality_score"] == category
    with pytest.raises(ValidationError) as caught:
        validate_sft(made)
    assert [error["loc"] for error in caught.value.errors()] == [("quality_score",)]


@pytest.mark.parametrize("label", ["its own", "accepted"])
@pytest.mark.parametrize(("row", "category"), FORBIDDEN)
def test_the_firewall_refuses_alone(
    row: dict[str, Any], category: str, label: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever the label says: the firewall looks up what the scorer really said."""
    made = with_a_loosened_never_list(row, monkeypatch)
    if label == "accepted":
        made["quality_score"] = "accepted"
    stamp = {"recorded_at": "2026-01-01T00:00:00Z"}
    (tmp_path / paths.SETTINGS).touch()
    for relative, line in (
        (paths.evidence_file("shell"), row),
        (paths.scored_file("shell"), scored(row)),
        (paths.SFT_EXPORT, made),
    ):
        (tmp_path / relative).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / relative).write_bytes(orjson.dumps(line | stamp) + b"\n")
    finished = subprocess.run(firewall_argv(["-C", str(tmp_path)]), capture_output=True, check=False)
    assert finished.returncode == ExitCode.FIREWALL_BREACH
