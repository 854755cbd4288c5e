"""S4.empty-exports: where the rows stop when the drills' three ways are not it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from pipeline.reading.empty_exports import find_empty_export
from runbook.probes.evidence import Diagnosis
from runbook.probes.workspace import Workspace
from runbook.symptoms.s4_empty_exports.diagnose import SYMPTOM
from runbook.wizard.detecting import detect_one
from runbook.wizard.diagnosing import diagnose_only
from tests.pipeline.engine.workspaces import engine, run_all
from tests.runbook.workspaces import tree


def sources(workspace: Workspace) -> list[Path]:
    found = (workspace.root / paths.KNOWLEDGE_BASE).glob("*.jsonl")
    return [path for path in found if path.name.split(".")[0] not in paths.JOURNAL_STEMS]


def diagnosed(workspace: Workspace) -> tuple[Diagnosis, list[str]]:
    detection = detect_one(workspace, SYMPTOM)
    assert detection.verdict is Verdict.DETECTED
    diagnosis = diagnose_only(workspace, SYMPTOM, detection)[1]
    return diagnosis, [offer.id for offer in SYMPTOM.offers(detection, diagnosis)]


def test_emptied_sources_lead_to_the_missing_sources_and_once_they_are_back_to_a_run(
    workspace: Workspace,
) -> None:
    assert detect_one(workspace, SYMPTOM).verdict is Verdict.CLEAR
    kept = {path: path.read_bytes() for path in sources(workspace)}
    for path in kept:
        path.write_bytes(b"")
    for _ in range(2):
        assert engine(workspace.root, "run-all").returncode == 1
    broken = tree(workspace.root)
    diagnosis, ways = diagnosed(workspace)
    assert (diagnosis.cause.id, diagnosis.see) == ("no_lines", "S1.P0.source-missing")
    assert ways == []
    assert tree(workspace.root) == broken, "trying it out changed the workspace"
    for path, data in kept.items():
        path.write_bytes(data)
    diagnosis, ways = diagnosed(workspace)
    assert (diagnosis.cause.id, ways) == ("over", ["rerun"])
    run_all(workspace.root)
    assert detect_one(workspace, SYMPTOM).verdict is Verdict.CLEAR


def test_only_the_streams_that_filled_the_export_are_counted(workspace: Workspace) -> None:
    settings = workspace.root / paths.SETTINGS
    settings.write_text(settings.read_text() + "\n[export.preference]\nmax_tokens = 1\n")
    done = engine(workspace.root, "run-all")
    assert done.returncode == 1, done.stderr
    found = find_empty_export(workspace.root)
    assert found is not None
    assert (found.export, found.refused, found.rows_before > 0) == ("preference", True, True)
    diagnosis, ways = diagnosed(workspace)
    assert diagnosis.cause.id == "none_exported"
    assert any("export" in place and "max_tokens" in place for place in diagnosis.cause.places)
    assert ways == ["restore-settings"]


def test_an_export_that_was_allowed_to_be_empty_rings_until_the_next_run(workspace: Workspace) -> None:
    kept = {path: path.read_bytes() for path in sources(workspace)}
    for path in kept:
        path.write_bytes(b"")
    run_all(workspace.root, "--allow-empty")
    found = find_empty_export(workspace.root)
    assert found is not None
    assert (found.export, found.refused) == ("sft", False)
    for path, data in kept.items():
        path.write_bytes(data)
    run_all(workspace.root)
    assert find_empty_export(workspace.root) is None


def test_exports_that_were_kept_because_they_shrank_name_the_step_that_loses(workspace: Workspace) -> None:
    """Nothing is zero, and the run is refused all the same."""
    kept = {path: path.read_bytes() for path in sources(workspace)}
    for path, data in kept.items():
        lines = data.splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: len(lines) // 4]))
    assert engine(workspace.root, "run-all").returncode == 1
    found = find_empty_export(workspace.root)
    assert found is not None
    assert (found.export, found.refused, found.shrunk) == ("sft", True, True)
    detection = detect_one(workspace, SYMPTOM)
    assert "would have shrunk the sft export" in detection.evidence[0].says
    diagnosis, ways = diagnosed(workspace)
    assert (diagnosis.cause.id, diagnosis.see) == ("fewer_lines", "S1.P0.source-missing")
    assert ways == ["allow-shrink"]
    for path, data in kept.items():
        path.write_bytes(data)
    diagnosis, ways = diagnosed(workspace)
    assert (diagnosis.cause.id, ways) == ("over", ["rerun"])
    run_all(workspace.root)
    assert detect_one(workspace, SYMPTOM).verdict is Verdict.CLEAR


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ("[export.sft]\nmax_tokens = 30\n", "fewer_exported"),
        ("[scoring]\npartial_at = 0.7\n", "fewer_allowed"),
    ],
)
def test_settings_that_shrink_an_export_are_named_and_can_be_restored_or_meant(
    workspace: Workspace, more: str, cause: str
) -> None:
    settings = workspace.root / paths.SETTINGS
    settings.write_text(f"{settings.read_text()}\n[export]\nmax_shrink = 0.1\n{more}")
    ended = engine(workspace.root, "run-all")
    assert ended.returncode == 1, ended.stderr
    assert "would shrink" in ended.stderr
    diagnosis, ways = diagnosed(workspace)
    # The phase's own wizard sees nothing until an audit; what differs is put back from here.
    assert (diagnosis.cause.id, diagnosis.see) == (cause, None)
    assert ways == ["restore-settings", "allow-shrink"]
    run_all(workspace.root, "--allow-shrink")
    assert detect_one(workspace, SYMPTOM).verdict is Verdict.CLEAR
