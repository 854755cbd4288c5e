"""S1.P0.source-missing: a stream's file moved, rotated, misnamed, never there; back, or accepted."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

from console.reading.workspace_reader import WorkspaceReader
from pipeline.contracts import paths
from pipeline.reading.source_notes import note_line
from tests.pipeline.engine.workspaces import engine
from tests.runbook.symptoms.walked import cause, diagnosed, raised, repaired, taken_back, verdict
from tests.runbook.workspaces import tree

ID = "S1.P0.source-missing"
CHATS = "data/_kb/chats.jsonl"


def on_the_dashboard(root: Path) -> list[str]:
    return [symptom.id for symptom in WorkspaceReader(root).read().symptoms if symptom.id == ID]


def test_a_renamed_file_is_known_by_its_bytes_and_moved_back(root: Path) -> None:
    assert (raised(root), on_the_dashboard(root)) == ([], [])
    (root / CHATS).rename(root / "data/_kb/dialogues-2.jsonl")
    broken = tree(root)
    assert (raised(root), on_the_dashboard(root)) == ([ID], [ID])
    found = diagnosed(root, ID)
    assert (found["diagnosis"]["cause"]["id"], found["diagnosis"]["cause"]["confidence"]) == (
        "moved",
        "certain",
    )
    assert "data/_kb/dialogues-2.jsonl" in found["diagnosis"]["cause"]["places"]
    plan = repaired(root, ID, "--offer", "move-back")
    assert (root / CHATS).is_file()
    taken_back(root, plan, broken)


def test_a_stream_is_pointed_at_the_file_after_a_dry_run_and_the_outputs_follow(root: Path) -> None:
    (root / CHATS).rename(root / "data/_kb/dialogues.jsonl")
    broken = tree(root)
    plan = repaired(root, ID, "--offer", "point")
    assert 'path = "data/_kb/dialogues.jsonl"' in (root / paths.SETTINGS).read_text()
    rows = (root / paths.evidence_file("chats")).read_bytes().splitlines()
    assert {json.loads(row)["provenance"]["source_file"] for row in rows} == {"data/_kb/dialogues.jsonl"}
    taken_back(root, plan, broken)


def test_a_rotated_log_is_found_in_its_archive(root: Path) -> None:
    archive = root / "data/old/chats.jsonl.1.gz"
    archive.parent.mkdir()
    archive.write_bytes(gzip.compress((root / CHATS).read_bytes()))
    (root / CHATS).write_bytes(b"")
    assert cause(root, ID) == ("rotated_away", "certain")
    assert "data/old/chats.jsonl.1.gz" in diagnosed(root, ID)["diagnosis"]["cause"]["places"]


def test_a_path_that_was_changed_is_told_from_the_tag(root: Path) -> None:
    settings = root / paths.SETTINGS
    settings.write_text(settings.read_text().replace("data/_kb/chats*.jsonl", "data/_kb/chat-*.jsonl"))
    found = diagnosed(root, ID)
    assert found["diagnosis"]["cause"]["id"] == "wrong_path"
    assert found["diagnosis"]["cause"]["confidence"] == "certain"
    repaired(root, ID, "--offer", "point")
    assert 'path = "data/_kb/chats*.jsonl"' in settings.read_text()


def test_a_file_that_is_nowhere_is_gone_and_a_note_is_quoted_until_rows_come_back(root: Path) -> None:
    kept = (root / CHATS).read_bytes()
    (root / CHATS).unlink()
    broken = tree(root)
    assert cause(root, ID) == ("gone", "likely")
    plan = repaired(root, ID, "--offer", "accept", "--answer", "note=the bot was switched off")
    assert (raised(root), on_the_dashboard(root)) == ([], [])
    done = engine(root, "audit-full", "--check", "P0.source-chats", "--json")
    (check,) = json.loads(done.stdout)["checks"]
    assert check["status"] == "warn"
    assert check["detail"].endswith(": the bot was switched off")
    taken_back(root, plan, broken)
    assert raised(root) == [ID]
    # Accepted long ago, then a run read rows again: the old note says nothing about this time.
    note = note_line("chats", "off for a week", "mira", "2026-01-01T00:00:00Z")
    (root / paths.SOURCE_NOTES).write_text(note + "\n")
    assert (raised(root), on_the_dashboard(root)) == ([ID], [ID])
    (root / CHATS).write_bytes(kept)
    assert verdict(root, ID) == "clear"


def test_a_fresh_clone_is_told_from_a_stream_that_was_never_fed(root: Path) -> None:
    for path in (root / "data/_kb").iterdir():
        path.unlink()
    shutil.rmtree(root / paths.REPORTS)
    found = diagnosed(root, ID)["diagnosis"]
    assert (found["cause"]["id"], found["cause"]["confidence"]) == ("fresh_clone", "likely")
    assert any("stream runs" in place for place in found["cause"]["places"])
    (root / "data/_kb/runs.jsonl").write_text('{"task": 1}\n')
    assert cause(root, ID) == ("unknown", "unknown")
