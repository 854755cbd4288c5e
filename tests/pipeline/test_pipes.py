"""A named pipe without a writer blocks whoever opens it: every reader takes it for an unreadable file.

A reader that opened the pipe would wait for ever, and its test would run into the time limit.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pipeline.audit.claims import read_claim
from pipeline.audit.p0_recon import recon_doc
from pipeline.audit.p4_exports import export_rows
from pipeline.audit.rows import ExportedRow, RowFile
from pipeline.audit.workspace_view import WorkspaceView
from pipeline.contracts import paths
from pipeline.contracts.checks import CheckStatus
from pipeline.contracts.faults import InputError, SettingsError
from pipeline.drift.baselines import read_baselines
from pipeline.drift.measure import read_rows
from pipeline.engine import last_clear, run_state
from pipeline.engine.chunk_cache import ChunkCache
from pipeline.engine.export_manifest import verify
from pipeline.engine.intent import read_intent
from pipeline.engine.run_state import RunState
from pipeline.engine.written_rows import written_rows
from pipeline.firewall.causes import read_json
from pipeline.firewall.index import Index
from pipeline.firewall.places import Place
from pipeline.reading.changed_files import ChangeDetector
from pipeline.release import handoff
from pipeline.replay import playbook_index
from pipeline.schemas.export_versions import standing_versions
from pipeline.settings.load import load_settings
from pipeline.settings.model import Settings
from pipeline.storage.digests import measured, sha256_of_file


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe.jsonl"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("read", [sha256_of_file, measured])
def test_a_pipe_has_no_digest(pipe: Path, read: Callable[[Path], Any]) -> None:
    with pytest.raises(OSError, match="no plain file"):
        read(pipe)


def test_rows_of_a_pipe_are_a_fault_of_three_lines(pipe: Path) -> None:
    with pytest.raises(InputError) as caught:
        list(written_rows(pipe))
    fault = caught.value.fault
    assert fault.code == "source_unreadable"
    assert fault.what_happened == f"{pipe} could not be read: it is no plain file."
    assert fault.kept_safe
    assert fault.do_next


def test_a_file_that_became_a_pipe_meanwhile_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was a file when it was looked at is a pipe when it is opened."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"{}\n")
    seen = path.stat()
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(Path, "stat", lambda _path, **_how: seen)
    claim = {"path": path.name, "bytes": seen.st_size, "sha256": "0" * 64}
    touched = ChangeDetector(tmp_path).compare([claim], since=0.0)
    assert (touched.changed, touched.not_compared) == ((), (path.name,))


@pytest.mark.parametrize("receipt", [False, True])
def test_pipes_beside_exports_are_named_and_not_read(tmp_path: Path, receipt: bool) -> None:
    formatted = tmp_path / "formatted"
    formatted.mkdir()
    (tmp_path / "manifest.json").write_text('{"files": []}')
    os.mkfifo(tmp_path / "table")  # by its name no loader reads it, by its bytes one would
    name = "sft.chat-jsonl.jsonl"
    (formatted / name).write_bytes(b"{}\n")
    os.mkfifo(formatted / f"{name}.receipt.json")
    if receipt:
        (formatted / f"{name}.receipt.json").unlink()
        (formatted / f"{name}.receipt.json").write_text('{"output": {"sha256": "0"}}')
        (formatted / name).unlink()
        os.mkfifo(formatted / name)
    result = verify(tmp_path)
    assert result.status is CheckStatus.FAIL
    said = {each.file: each.text for each in result.examples}
    assert "table" not in said
    if receipt:
        assert said[f"formatted/{name}"] == "it is no plain file"
    else:
        assert said[f"formatted/{name}.receipt.json"] == "it is not a receipt"
        assert said[f"formatted/{name}"].startswith("no receipt accounts for")


def test_a_pipe_is_no_manifest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(InputError, match="it is no plain file"):
        verify(tmp_path)


def test_the_firewall_takes_no_value_from_a_pipe(pipe: Path) -> None:
    assert read_json(pipe) is None
    with pytest.raises(OSError, match="not a regular file"):
        read_json(pipe, may_fail=False)


def test_the_firewall_names_a_run_whose_evidence_became_a_pipe_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / paths.evidence_file("shell")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{}\n")
    index = Index([], [path])
    path.unlink()
    os.mkfifo(path)
    assert index.describe(Place(0, 0)) == f"({path.name}, byte 0)"


# What each reader of a file of the workspace says of a pipe in its place.
READERS: dict[str, tuple[PurePosixPath, Callable[[Path], object], object]] = {
    "run state": (paths.RUN_STATE, run_state.load, RunState()),
    "last clear": (paths.LAST_CLEAR, last_clear._load, {}),
    "intent": (paths.INTENT, read_intent, OSError),
    "versions": (paths.EXPORT_MANIFEST, standing_versions, InputError),
    "baselines": (paths.AUDIT_BASELINES, read_baselines, InputError),
    "metrics": (
        paths.DISTILLATION_SKIPS,
        lambda root: list(read_rows(root / paths.DISTILLATION_SKIPS)),
        InputError,
    ),
    "claims": (paths.RUN_STATE, lambda root: read_claim(root, str(paths.RUN_STATE)), OSError),
    "recon doc": (paths.RECON_DOC, lambda root: recon_doc(WorkspaceView(root, Settings())), OSError),
    "exported rows": (
        paths.RAG_EXPORT,
        lambda root: list(export_rows(root / paths.RAG_EXPORT, "rag")),
        OSError,
    ),
    "rows": (
        paths.RAG_EXPORT,
        lambda root: list(RowFile(root / paths.RAG_EXPORT, "rag", ExportedRow)),
        OSError,
    ),
    "playbooks": (
        paths.RAG_EXPORT,
        lambda root: list(playbook_index._rows(root / paths.RAG_EXPORT)),
        OSError,
    ),
    "handoff": (handoff.HANDOFF, lambda root: handoff.what_is_wrong(root, Settings()), "is missing"),
    "settings": (paths.SETTINGS, load_settings, SettingsError),
}


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_in_the_place_of_a_file_keeps_no_reader_waiting(name: str, tmp_path: Path) -> None:
    place, read, said = READERS[name]
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(tmp_path / place)
    if isinstance(said, type):
        with pytest.raises(said):
            read(tmp_path)
    else:
        assert read(tmp_path) == said


def test_a_chunk_that_became_a_pipe_is_made_again(tmp_path: Path) -> None:
    cache = ChunkCache(tmp_path)
    for path in (cache.index_path("abcd"), cache.rows_path("abcd")):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
    assert cache.load("abcd") is None
