"""Links, damage, permissions and clocks that a run must not be led astray by."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.contracts import paths
from tests.architecture.fresh_interpreter import run_python
from tests.pipeline.engine.workspaces import (
    engine,
    make_workspace,
    newest_summary,
    output_bytes,
    run_all,
    source_bytes,
)

LINKED = [
    ".distill",
    ".distill/lock",
    ".distill/staging",
    ".distill/spool",
    ".distill/cache",
    ".distill/intent.json",
    ".distill/state.json",
    "data/evidence",
    "data/evidence/runs.jsonl",
    "data/scored-runs",
    "data/scored-runs/chats.jsonl",
    "data/_kb/distillation_skips.jsonl",
    "exports",
    "exports/sft",
    "exports/sft/instruction_response.jsonl",
    "exports/rag",
    "exports/preference/chosen_rejected.jsonl",
    "exports/quarantine",
    "exports/quarantine/sft.jsonl",
    "reports",
    "reports/distillation",
]


@pytest.mark.parametrize("dangling", [False, True], ids=["to something", "dangling"])
@pytest.mark.parametrize("link", LINKED)
def test_a_planted_link_stops_the_run_and_nothing_is_written_through_it(
    tmp_path: Path, workspace: Path, link: str, *, dangling: bool
) -> None:
    outside = tmp_path / "outside"
    place = workspace / link
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        place.rename(outside)
    else:
        outside.mkdir()
    if dangling:
        shutil.rmtree(outside) if outside.is_dir() else outside.unlink()
    place.symlink_to(outside)
    before = _tree(outside)
    # Other bytes in every source, so that every output would be written.
    for name, data in source_bytes().items():
        (workspace / paths.KNOWLEDGE_BASE / name).write_bytes(
            data.replace(b"answer", b"reply").replace(b"Node", b"Host")
        )
    finished = engine(workspace, "run-all")
    assert finished.returncode == 3, finished.stderr
    assert f"{link} is a link to" in finished.stderr
    assert len(finished.stderr.splitlines()) == 3
    assert _tree(outside) == before
    assert place.is_symlink()


def _tree(folder: Path) -> dict[str, bytes]:
    if folder.is_file():
        return {"": folder.read_bytes()}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_foreign_intent_stops_the_run_before_it_writes(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"mine")
    intent = {
        "schema_version": 1,
        "pipeline_run_id": "r",
        "renames": [{"staged": ".distill/staging/r/a", "target": "../outside", "sha256": "0" * 64}],
    }
    (workspace / paths.INTENT).write_text(json.dumps(intent), encoding="utf-8")
    before = _tree(workspace)
    for command in ("run-all", "materialize", "score", "export"):
        finished = engine(workspace, command)
        assert finished.returncode == 1
        assert "cannot be settled" in finished.stderr
    assert (tmp_path / "outside").read_bytes() == b"mine"
    after = _tree(workspace)
    assert {name: data for name, data in after.items() if name != str(paths.LOCK)} == {
        name: data for name, data in before.items() if name != str(paths.LOCK)
    }


@pytest.mark.parametrize("damage", ["truncated rows", "flipped index", "no index", "garbage everywhere"])
def test_damaged_cache_entries_are_made_again(workspace: Path, ran: Path, damage: str) -> None:
    for path in (workspace / paths.CHUNK_CACHE).glob("??/*"):
        data = path.read_bytes()
        if damage == "garbage everywhere":
            path.write_bytes(os.urandom(len(data)))
        elif damage == "truncated rows" and path.suffix == ".rows":
            path.write_bytes(data[:-1])
        elif damage == "flipped index" and path.suffix == ".index":
            path.write_bytes(data[:50] + bytes([data[50] ^ 4]) + data[51:])
        elif damage == "no index" and path.suffix == ".index":
            path.unlink()
    _forget_fingerprint(workspace)
    shutil.rmtree(workspace / paths.EXPORTS)
    again = run_all(workspace)
    assert again["run_hash"] == newest_summary(ran)["run_hash"]
    assert again["counts"]["chunks_processed"] == again["counts"]["chunks_total"]
    assert output_bytes(workspace) == output_bytes(ran)


def _forget_fingerprint(workspace: Path) -> None:
    value = json.loads((workspace / paths.RUN_STATE).read_bytes())
    value["fingerprint"] = ""
    (workspace / paths.RUN_STATE).write_text(json.dumps(value), encoding="utf-8")


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_whatever_the_umask_only_the_operator_can_read_what_was_written(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        workspace = make_workspace(tmp_path / "w")
        run_all(workspace)
    finally:
        os.umask(before)
    written = [workspace / name for name in (".distill", "exports", "reports", "data/evidence")]
    for path in [path for top in written for path in (top, *top.rglob("*"))]:
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.fixture
def read_only(workspace: Path) -> Iterator[Path]:
    """The workspace on a read-only bind mount: permission bits do not stop root."""
    made = subprocess.run(["mount", "--bind", workspace, workspace], capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", workspace], check=True, capture_output=True)
        yield workspace
    finally:
        subprocess.run(["umount", workspace], check=True, capture_output=True)


def test_a_read_only_workspace_is_named_in_three_lines(read_only: Path) -> None:
    for command in ("run-all", "score", "export"):
        finished = engine(read_only, command)
        assert finished.returncode == 3
        assert "Read-only file system" in finished.stderr
        assert len(finished.stderr.splitlines()) == 3


# Permission bits do not stop root, so the calls that would be refused are. A path may be told from an
# open folder, which is then looked up.
_REFUSING = """\
import os, sys
from pathlib import Path
refused = sys.argv[1]
def watched(call):
    def looked_at(*arguments, **names):
        folders = [folder for name, folder in names.items() if name.endswith("dir_fd") and folder is not None]
        above = [os.readlink(f"/proc/self/fd/{folder}") for folder in folders] or [""]
        for path in (each for each in arguments if isinstance(each, (str, Path))):
            if any(os.path.join(folder, path).startswith(refused) for folder in above):
                raise PermissionError(13, "Permission denied", os.fspath(path))
        return call(*arguments, **names)
    return looked_at
for name in ("open", "mkdir", "replace", "unlink"):
    setattr(os, name, watched(getattr(os, name)))
from pipeline.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    "folder",
    [
        ".distill/lock",
        ".distill/cache",
        ".distill/staging",
        "reports/distillation/2",
        "exports",
        "data/evidence",
    ],
)
def test_a_folder_without_permission_costs_no_output(workspace: Path, folder: str) -> None:
    source = workspace / paths.KNOWLEDGE_BASE / "runs-a.jsonl"
    source.write_bytes(source.read_bytes().replace(b"answer", b"reply"))
    before = output_bytes(workspace)
    words = ("run-all", "--workers", "1", "-C", str(workspace))
    finished = run_python("-c", _REFUSING, str(workspace / folder), *words)
    assert finished.returncode == 3, finished.stderr
    assert os.strerror(errno.EACCES) in finished.stderr
    assert len(finished.stderr.splitlines()) == 3
    assert output_bytes(workspace) == before
    assert not (workspace / paths.INTENT).exists()


def test_a_clock_that_jumped_back_does_not_hide_the_newest_run(workspace: Path, ran: Path) -> None:
    # An older run whose clock was ahead: its name sorts after every later one.
    (older,) = (workspace / paths.REPORTS).iterdir()
    ahead = older.with_name("29991231T235959Z-ffff")
    shutil.copytree(older, ahead)
    for path in ahead.rglob("*.json"):
        path.write_bytes(path.read_bytes().replace(older.name.encode(), ahead.name.encode()))
    source = workspace / paths.KNOWLEDGE_BASE / "runs-a.jsonl"
    source.write_bytes(source.read_bytes().replace(b"answer", b"reply"))
    newest = run_all(workspace)
    assert newest["run_hash"] != newest_summary(ran)["run_hash"]
    finished = engine(workspace, "export", "--json", "--recorded-at", "2026-01-01T00:00:00Z")
    assert finished.returncode == 0, finished.stderr
    exported = json.loads(finished.stdout)
    assert exported["run_hash"] == newest["run_hash"]
    assert {stage["carried_from"] for stage in exported["stages"]} == {None, newest["pipeline_run_id"]}
