"""The exports' manifest: last of a commit, true to the files, voided when verdicts turn."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import InputError
from pipeline.engine.export_manifest import standing, verify, voided
from pipeline.platform.firewall import Clear, ask_firewall
from pipeline.schemas.export_versions import standing_versions, versions_of
from tests.pipeline.engine.workspaces import engine, run_all


def test_a_copy_of_the_exports_agrees_with_its_manifest(workspace: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "trainer"
    shutil.copytree(workspace / paths.EXPORTS, elsewhere)
    finished = engine(workspace, "verify-export", str(elsewhere), "--json")
    assert finished.returncode == 0
    assert json.loads(finished.stdout)["examined"] == 3


def test_a_manifest_that_cannot_be_read_is_not_taken_for_a_missing_one(workspace: Path) -> None:
    """Read as missing, it would say version 1 of every row, and no bound on what a run may take away."""
    manifest = workspace / paths.EXPORT_MANIFEST
    manifest.unlink()
    assert standing_versions(workspace) == dict.fromkeys(VERSION_2, 1)
    assert standing(workspace) is None
    manifest.mkdir()
    for ask in (standing_versions, standing):
        with pytest.raises(
            InputError, match=r"exports/manifest\.json could not be read: it is no plain file"
        ):
            ask(workspace)
    assert voided(workspace, "a breach") is None
    for command in (
        ["lineage", "--json", _run_id(workspace)],
        ["export", "--allow-shrink"],
        ["audit-full", "--check", "P4.exports-valid"],
    ):
        finished = engine(workspace, *command)
        assert finished.returncode == 3, command
        assert "could not be read" in finished.stderr


VERSION_2 = {"rag": 2, "sft": 2, "preference": 2}


def test_it_names_the_version_of_each_export(workspace: Path) -> None:
    assert _manifest(workspace)["schemas"] == VERSION_2


def test_a_manifest_that_names_no_version_is_of_version_1_and_says_so(workspace: Path) -> None:
    assert versions_of({}) == versions_of({"schemas": 7}) == dict.fromkeys(VERSION_2, 1)
    assert versions_of({"schemas": {"sft": True, "rag": 2}}) == {**dict.fromkeys(VERSION_2, 1), "rag": 2}
    today = verify(workspace / paths.EXPORTS)
    assert "earlier version" not in today.detail
    manifest = _manifest(workspace)
    del manifest["schemas"]
    (workspace / paths.EXPORT_MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    older = verify(workspace / paths.EXPORTS)
    assert older.failed == 0
    assert "rows of an earlier version (rag 1, sft 1, preference 1)" in older.detail


def test_an_export_that_was_not_written_anew_keeps_its_version(workspace: Path) -> None:
    manifest = _manifest(workspace)
    manifest["schemas"] = {**VERSION_2, "rag": 1}
    (workspace / paths.EXPORT_MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    done = engine(workspace, "export-sft")
    assert done.returncode == 0, done.stderr
    assert _manifest(workspace)["schemas"] == {**VERSION_2, "rag": 1}
    done = engine(workspace, "export-rag")
    assert done.returncode == 0, done.stderr
    assert _manifest(workspace)["schemas"] == VERSION_2


def _manifest(workspace: Path) -> Any:
    return json.loads((workspace / paths.EXPORT_MANIFEST).read_bytes())


@pytest.mark.parametrize("damage", ["append", "flip", "truncate", "remove", "link"])
def test_a_changed_file_is_named(workspace: Path, damage: str) -> None:
    path = workspace / paths.SFT_EXPORT
    data = path.read_bytes()
    if damage == "append":
        path.write_bytes(data + data.splitlines(keepends=True)[0])
    elif damage == "flip":
        path.write_bytes(data[:100] + bytes((data[100] ^ 1,)) + data[101:])
    elif damage == "truncate":
        path.write_bytes(data[:-10])
    else:
        path.unlink()
        if damage == "link":
            path.symlink_to(workspace / paths.RAG_EXPORT)
    result = verify(workspace / paths.EXPORTS)
    assert result.failed == 1
    assert result.examples[0].file == "sft/instruction_response.jsonl"


def test_a_manifest_that_leads_out_of_its_folder_is_not_followed(workspace: Path) -> None:
    path = workspace / paths.EXPORT_MANIFEST
    manifest = json.loads(path.read_bytes())
    manifest["files"][0]["path"] = "../distill.toml"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert "leads out" in verify(workspace / paths.EXPORTS).examples[0].text


@pytest.mark.parametrize("data", [None, b"no json", b"[]", b'{"files": 1}'])
def test_without_a_usable_manifest_nothing_is_said_to_be_whole(workspace: Path, data: bytes | None) -> None:
    path = workspace / paths.EXPORT_MANIFEST
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError):
        verify(workspace / paths.EXPORTS)


def test_scoring_again_voids_the_manifest_when_a_standing_row_is_rejected_now(workspace: Path) -> None:
    settings = workspace / "distill.toml"
    settings.write_text(settings.read_text() + "\n[scoring]\npartial_at = 0.7\n", encoding="utf-8")
    scored = engine(workspace, "score")
    assert scored.returncode == 10, scored.stderr
    assert "ALARM" in scored.stderr
    assert "stale_export" in scored.stderr
    assert verify(workspace / paths.EXPORTS).examples[0].text.startswith("voided")
    assert engine(workspace, "firewall").returncode != 0
    exported = engine(workspace, "export")
    assert exported.returncode == 0, exported.stderr
    assert verify(workspace / paths.EXPORTS).failed == 0


def test_exports_of_other_settings_are_a_warning_and_no_breach(workspace: Path, tmp_path: Path) -> None:
    exports = workspace / paths.EXPORTS
    settings = workspace / paths.SETTINGS
    first = set(_manifest(workspace)["settings"].values())
    assert len(first) == 1
    assert set(_manifest(workspace)["settings"]) == set(VERSION_2)
    verified = engine(workspace, "verify-export", str(exports))
    assert (verified.returncode, "stale_settings" in verified.stdout) == (0, False)
    settings.write_text(settings.read_text() + "\n[export.rag]\nmax_tokens = 4000\n", encoding="utf-8")
    verified = engine(workspace, "verify-export", str(exports), "--json")
    said = json.loads(verified.stdout)
    assert (verified.returncode, said["status"], said["failed"]) == (0, "warn", 0)
    assert said["examples"][0]["text"].startswith("warning: stale_settings: rag, sft, preference written")
    assert isinstance(ask_firewall(workspace), Clear)
    assert engine(workspace, "export-rag").returncode == 0
    said = json.loads(engine(workspace, "verify-export", str(exports), "--json").stdout)
    assert said["examples"][0]["text"].startswith("warning: stale_settings: sft, preference written")
    elsewhere = tmp_path / "trainer"
    shutil.copytree(exports, elsewhere)
    assert "stale_settings" not in engine(workspace, "verify-export", str(elsewhere)).stdout
    run_all(workspace)
    assert "stale_settings" not in engine(workspace, "verify-export", str(exports)).stdout


def test_a_manifest_that_tells_nothing_of_settings_warns_of_nothing(workspace: Path) -> None:
    manifest = _manifest(workspace)
    del manifest["settings"]
    (workspace / paths.EXPORT_MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    settings = workspace / paths.SETTINGS
    settings.write_text(settings.read_text() + "\n[export.rag]\nmax_tokens = 4000\n", encoding="utf-8")
    verified = engine(workspace, "verify-export", str(workspace / paths.EXPORTS))
    assert (verified.returncode, "stale_settings" in verified.stdout) == (0, False)
    settings.write_text("what = [", encoding="utf-8")
    verified = engine(workspace, "verify-export", str(workspace / paths.EXPORTS))
    assert verified.returncode == 0
    assert "not known" in verified.stderr


def _run_id(workspace: Path) -> str:
    first = (workspace / paths.SFT_EXPORT).read_bytes().splitlines()[0]
    return str(json.loads(first)["source_run_id"])
