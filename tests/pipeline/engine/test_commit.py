"""Staged files appear all or nothing; an intent is believed as far as a run could have written it."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import IntegrityError, OperatorError, StorageError
from pipeline.engine import commit, run_state
from pipeline.engine.intent import Rename
from pipeline.engine.run_state import RunState
from pipeline.platform import disk
from tests.faulty_disk import FaultyDisk

RUN_ID = "20260101T000000Z-0001"
STAGED = f".distill/staging/{RUN_ID}"
SUMMARY = f"reports/distillation/{RUN_ID}/summary.json"
SFT, RAG = str(paths.SFT_EXPORT), str(paths.RAG_EXPORT)
OLD = {SFT: b"old sft\n", RAG: b"old rag\n"}
NEW = {SFT: b"new sft\n", RAG: b"new rag\n", SUMMARY: b"{}\n", str(paths.evidence_file("s")): b"row\n"}


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _prepare(workspace: Path, old: dict[str, bytes]) -> list[Rename]:
    for relative, data in old.items():
        _write(workspace / relative, data)
    for relative, data in NEW.items():
        _write(workspace / STAGED / relative, data)
    return [
        Rename(f"{STAGED}/{relative}", relative, hashlib.sha256(data).hexdigest())
        for relative, data in NEW.items()
    ]


def _outputs(workspace: Path) -> dict[str, bytes]:
    return {
        path.relative_to(workspace).as_posix(): path.read_bytes()
        for path in workspace.rglob("*")
        if path.is_file() and ".distill" not in path.parts
    }


def _leave_open(workspace: Path, old: dict[str, bytes], done: int) -> dict[str, Any]:
    """A workspace as a kill after ``done`` renames leaves it; the intent's value."""
    renames = _prepare(workspace, old)
    value = {
        "schema_version": 1,
        "pipeline_run_id": RUN_ID,
        "renames": [{**rename.__dict__, "replaces": rename.target in old} for rename in renames],
    }
    _write(workspace / paths.INTENT, json.dumps(value).encode())
    for rename in renames:
        if rename.target in old:
            kept = workspace / STAGED / "originals" / rename.target
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.hardlink_to(workspace / rename.target)
    for rename in renames[:done]:
        (workspace / rename.target).parent.mkdir(parents=True, exist_ok=True)
        (workspace / rename.staged).rename(workspace / rename.target)
    return value


@pytest.mark.parametrize("old", [{}, OLD], ids=["fresh", "last-good"])
def test_a_commit_puts_every_file_in_place(tmp_path: Path, old: dict[str, bytes]) -> None:
    commit.close_intent(tmp_path, commit.commit(tmp_path, RUN_ID, _prepare(tmp_path, old)))
    assert _outputs(tmp_path) == NEW
    assert not (tmp_path / paths.INTENT).exists()
    assert not (tmp_path / STAGED).exists()


@pytest.mark.parametrize("old", [{}, OLD], ids=["fresh", "last-good"])
@pytest.mark.parametrize("done", range(len(NEW) + 1))
def test_an_open_intent_is_rolled_forward(tmp_path: Path, old: dict[str, bytes], done: int) -> None:
    _leave_open(tmp_path, old, done)
    assert "rolled forward" in str(commit.settle(tmp_path))
    assert _outputs(tmp_path) == NEW
    assert commit.settle(tmp_path) is None
    assert run_state.load(tmp_path).pipeline_run_id == RUN_ID


@pytest.mark.parametrize("old", [{}, OLD], ids=["fresh", "last-good"])
@pytest.mark.parametrize("done", range(len(NEW)))
def test_it_is_rolled_back_when_a_staged_file_is_gone(
    tmp_path: Path, old: dict[str, bytes], done: int
) -> None:
    value = _leave_open(tmp_path, old, done)
    (tmp_path / value["renames"][-1]["staged"]).unlink()
    assert "rolled back" in str(commit.settle(tmp_path))
    assert _outputs(tmp_path) == old
    assert not (tmp_path / paths.INTENT).exists()


def test_rolling_back_twice_loses_nothing_even_when_old_and_new_bytes_are_equal(tmp_path: Path) -> None:
    old = {SFT: NEW[SFT], RAG: OLD[RAG]}
    value = _leave_open(tmp_path, old, 3)
    (tmp_path / value["renames"][-1]["staged"]).unlink()
    intent = (tmp_path / paths.INTENT).read_bytes()
    staging = tmp_path / STAGED
    kept = {path: path.read_bytes() for path in staging.rglob("*") if path.is_file()}
    commit.settle(tmp_path)
    # As if the machine had died between the rolling back and the closing of the intent.
    _write(tmp_path / paths.INTENT, intent)
    for path, data in kept.items():
        _write(path, data)
    commit.settle(tmp_path)
    assert _outputs(tmp_path) == old


def test_a_state_that_speaks_of_an_undone_run_is_forgotten_and_an_older_one_kept(tmp_path: Path) -> None:
    for remembered, expected in ((RUN_ID, ""), ("20250101T000000Z-0001", "20250101T000000Z-0001")):
        workspace = tmp_path / remembered
        value = _leave_open(workspace, OLD, 1)
        (workspace / value["renames"][-1]["staged"]).unlink()
        run_state.save(workspace, RunState(pipeline_run_id=remembered))
        commit.settle(workspace)
        assert run_state.load(workspace).pipeline_run_id == expected


@pytest.mark.parametrize("old", [{}, OLD], ids=["fresh", "last-good"])
@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
def test_a_disk_that_refuses_at_any_operation_leaves_a_whole_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: dict[str, bytes], *, for_good: bool
) -> None:
    failed = 0
    for number in range(1, 200):
        workspace = tmp_path / str(number)
        renames = _prepare(workspace, old)
        with monkeypatch.context() as patch:
            operations = FaultyDisk(number, errno.EIO, for_good=for_good)
            patch.setattr(disk, "operations", operations)
            refused = None
            try:
                commit.close_intent(workspace, commit.commit(workspace, RUN_ID, renames))
            except StorageError as error:
                refused = error.fault
        if refused is None:
            assert operations.count < number
            break
        failed += 1
        if (workspace / paths.INTENT).exists():
            assert for_good
            assert "stays open" in refused.kept_safe
        else:
            expected = NEW if "new outputs" in refused.kept_safe else old
            assert _outputs(workspace) == expected, number
        commit.settle(workspace)
        assert _outputs(workspace) in (old, NEW), number
    assert failed > 20


def _hostile(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], bytes]:
    def made(value: dict[str, Any]) -> bytes:
        change(value)
        return json.dumps(value).encode()

    return made


HOSTILE: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "target above": _hostile(lambda value: value["renames"][0].update(target="../outside/file")),
    "target above by way of an output": _hostile(
        lambda value: value["renames"][0].update(target="exports/../../outside/file")
    ),
    "absolute target": _hostile(lambda value: value["renames"][0].update(target="/nowhere/outside")),
    "target is no output": _hostile(lambda value: value["renames"][0].update(target="distill.toml")),
    "target is a hook": _hostile(lambda value: value["renames"][0].update(target=".git/hooks/post-merge")),
    "target is a folder": _hostile(lambda value: value["renames"][0].update(target="exports")),
    "target of another run": _hostile(
        lambda value: value["renames"][0].update(target="reports/distillation/other/summary.json")
    ),
    "target with NUL": _hostile(lambda value: value["renames"][0].update(target="exports/a\0b")),
    "target is a number": _hostile(lambda value: value["renames"][0].update(target=7)),
    "staged above": _hostile(lambda value: value["renames"][0].update(staged=f"{STAGED}/../../../secret")),
    "staged elsewhere": _hostile(lambda value: value["renames"][0].update(staged="data/_kb/a.jsonl")),
    "absolute staged": _hostile(lambda value: value["renames"][0].update(staged="/etc/hostname")),
    "run id above": _hostile(lambda value: value.update(pipeline_run_id="../../outside")),
    "run id is a list": _hostile(lambda value: value.update(pipeline_run_id=[])),
    "no digest": _hostile(lambda value: value["renames"][0].update(sha256="")),
    "unknown member": _hostile(lambda value: value["renames"][0].update(mode="0777")),
    "renames missing": _hostile(lambda value: value.pop("renames")),
    "renames is a text": _hostile(lambda value: value.update(renames="all")),
    "a list": lambda _: b"[]",
    "empty": lambda _: b"",
    "cut": lambda value: json.dumps(value).encode()[:-9],
    "not UTF-8": lambda _: b'{"pipeline_run_id":"\xff"}',
    "deep": lambda _: b"[" * 100_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_an_intent_that_no_run_wrote_is_refused_and_nothing_is_touched(tmp_path: Path, case: str) -> None:
    workspace = tmp_path / "w"
    value = _leave_open(workspace, OLD, 0)
    (tmp_path / "outside").mkdir()
    (workspace / paths.INTENT).write_bytes(HOSTILE[case](value))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(IntegrityError) as caught:
        commit.settle(workspace)
    assert caught.value.fault.code == "intent_unsettled"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "link",
    [
        "exports",
        "exports/sft",
        SFT,
        "data/evidence",
        ".distill/staging",
        f"{STAGED}/originals",
        f"{STAGED}/{SFT}",
    ],
)
@pytest.mark.parametrize("settling", [True, False], ids=["settle", "commit"])
def test_a_planted_link_is_not_written_through(tmp_path: Path, link: str, *, settling: bool) -> None:
    workspace, outside = tmp_path / "w", tmp_path / "outside"
    _leave_open(workspace, OLD, 0)
    renames = _prepare(workspace, OLD)
    if not settling:
        (workspace / paths.INTENT).unlink()
    place = workspace / link
    if place.exists():
        place.rename(outside)
    else:
        outside.mkdir()
        place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside)
    before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
    call = (
        partial(commit.settle, workspace) if settling else partial(commit.commit, workspace, RUN_ID, renames)
    )
    with pytest.raises(OperatorError) as caught:
        call()
    assert caught.value.fault.code == "link_in_the_way"
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == before


def test_what_dead_runs_staged_is_removed(tmp_path: Path) -> None:
    for relative in (".distill/staging/dead/file", ".distill/spool/file", ".distill/.state.json.9.tmp"):
        _write(tmp_path / relative, b"left")
    assert commit.settle(tmp_path) is None
    assert not [path for path in (tmp_path / ".distill").rglob("*") if path.is_file()]
