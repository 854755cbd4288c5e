"""The remembered state is a cache: wrong or missing, it costs time and never a byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.engine import run_state
from pipeline.engine.output import Output
from pipeline.engine.run_state import FileStamp, RunState, SourceState
from pipeline.platform import disk
from pipeline.storage.digests import sha256_of_file
from tests.pipeline.engine.workspaces import make_workspace, output_bytes, run_all


def _state(workspace: Path) -> RunState:
    file = workspace / "out.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"{}\n")
    output = Output("out.jsonl", None, 3, 1, sha256_of_file(file), "d")
    stamp = FileStamp.of(file)
    source = SourceState("s", "a.jsonl", stamp, "c", 3, 1, "sha", ("k1", "k2"))
    return RunState("run", "print", {"s\0a.jsonl": source}, {"out.jsonl": (output, stamp)})


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    state = _state(tmp_path)
    run_state.save(tmp_path, state)
    assert run_state.load(tmp_path) == state


def test_a_state_of_an_earlier_engine_is_loaded(tmp_path: Path) -> None:
    state = _state(tmp_path)
    run_state.save(tmp_path, state)
    value = json.loads((tmp_path / paths.RUN_STATE).read_bytes())
    value["outputs"]["out.jsonl"]["output"]["plan_digest"] = "p"
    for member in ("chunk_bytes", "last_start", "last_line"):
        del value["sources"]["s\0a.jsonl"][member]
    (tmp_path / paths.RUN_STATE).write_text(json.dumps(value))
    assert run_state.load(tmp_path) == state


def _never(path: Path) -> str:
    raise AssertionError(f"{path} is read again")


def test_an_output_is_whole_by_its_stamp_or_by_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = _state(tmp_path)
    assert state.is_whole(tmp_path, "out.jsonl")
    (tmp_path / "out.jsonl").write_bytes(b"{}\n")  # touched: the digest decides, once
    assert state.is_whole(tmp_path, "out.jsonl")
    with monkeypatch.context() as patched:
        patched.setattr(run_state, "sha256_of_file", _never)
        assert state.is_whole(tmp_path, "out.jsonl")
    (tmp_path / "out.jsonl").write_bytes(b"[]\n")
    assert not state.is_whole(tmp_path, "out.jsonl")
    (tmp_path / "out.jsonl").unlink()
    assert not state.is_whole(tmp_path, "out.jsonl")
    assert not state.is_whole(tmp_path, "never recorded")


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b'{"state_version": 1}',
        b'{"state_version": 99}',
        b'{"state_version": 1, "pipeline_run_id": "", "fingerprint": "", "sources": [], "outputs": {}}',
        b'{"state_version": 1, "pipeline_run_id": "", "fingerprint": "", "sources": {"a": 1}, "outputs": {}}',
    ],
)
def test_a_damaged_state_is_an_empty_one(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / ".distill").mkdir()
    (tmp_path / paths.RUN_STATE).write_bytes(damaged)
    assert run_state.load(tmp_path) == RunState()


class _Refusing(disk.DiskOperations):
    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        raise OSError(28, "No space left on device")

    def unlink(self, *_names: Any, **_folders: Any) -> None:
        raise OSError(30, "Read-only file system")


def test_a_disk_that_refuses_the_state_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = _state(tmp_path)
    monkeypatch.setattr(disk, "operations", _Refusing())
    run_state.save(tmp_path, state)
    monkeypatch.undo()
    assert run_state.load(tmp_path) == RunState()


def _edited(workspace: Path, edit: Any) -> None:
    path = workspace / paths.RUN_STATE
    value = json.loads(path.read_bytes())
    edit(value)
    path.write_text(json.dumps(value), encoding="utf-8")


def _other_keys(value: dict[str, Any]) -> None:
    for source in value["sources"].values():
        source["keys"] = ["00" * 32 for _ in source["keys"]]


def _hostile_keys(value: dict[str, Any]) -> None:
    for source in value["sources"].values():
        source["keys"] = ["../../../../etc/hostname"]


def _other_digests(value: dict[str, Any]) -> None:
    for entry in value["outputs"].values():
        entry["output"]["sha256"] = "0" * 64


@pytest.mark.parametrize("edit", [_other_keys, _hostile_keys, _other_digests])
def test_a_run_after_a_damaged_state_ends_at_the_same_bytes(tmp_path: Path, edit: Any) -> None:
    workspace = make_workspace(tmp_path / "w")
    before = run_all(workspace)
    outputs = output_bytes(workspace)
    _edited(workspace, edit)
    _edited(workspace, lambda value: value.update(fingerprint=""))
    assert run_all(workspace)["run_hash"] == before["run_hash"]
    assert output_bytes(workspace) == outputs


def test_what_a_run_left_is_not_read_again_to_see_that_it_is_whole(tmp_path: Path) -> None:
    """The firewall sees staged files through links, and each that goes changes a file's times."""
    workspace = make_workspace(tmp_path / "w")
    run_all(workspace)
    for _ in range(2):
        state = run_state.load(workspace)
        assert paths.SFT_EXPORT.as_posix() in state.outputs
        now = {relative: FileStamp.of(workspace / relative) for relative in state.outputs}
        assert {relative: stamp for relative, (_, stamp) in state.outputs.items()} == now
        for relative in now:
            os.utime(workspace / relative, ns=(1, 1))
        run_all(workspace)


@pytest.mark.parametrize("damage", [b"", b"\xff garbage", b"{}"])
def test_a_run_after_a_lost_state_processes_nothing_again(tmp_path: Path, damage: bytes) -> None:
    workspace = make_workspace(tmp_path / "w")
    before = run_all(workspace)
    (workspace / paths.RUN_STATE).write_bytes(damage)
    after = run_all(workspace)
    assert after["run_hash"] == before["run_hash"]
    assert after["counts"]["chunks_processed"] == 0
