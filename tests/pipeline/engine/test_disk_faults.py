"""A disk that fails at the N-th operation, for every N, until the run no longer fails.

The way SQLite tests itself: write, fsync, rename, link, unlink and mkdir are counted together,
and the N-th one fails, once or for good. Afterwards the old outputs stand (or the new ones, all of
them), nothing reads as passed, and a run on a whole disk ends where an undisturbed one does.
"""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, StorageError
from pipeline.engine import run_session, staged_exports
from pipeline.engine.event_writer import EventWriter
from pipeline.engine.export_stage import run_export
from pipeline.engine.finish import Finished
from pipeline.engine.output import Output
from pipeline.engine.run_all import RunOptions, run_all
from pipeline.engine.run_session import Request, Session
from pipeline.engine.score_stage import run_score
from pipeline.platform import disk
from pipeline.platform.git import GitState
from pipeline.settings.load import load_settings
from tests.crash.outcomes import assert_whole, change_sources
from tests.faulty_disk import FaultyDisk, ShortWrites
from tests.pipeline.engine.workspaces import (
    RECORDED_AT,
    chat_line,
    encoded,
    flat_line,
    make_workspace,
    output_bytes,
)
from tests.quick_folder import quick_folder

CHUNK_BYTES = 2048


def _sources() -> dict[str, bytes]:
    return {
        "runs-a.jsonl": encoded([flat_line(number) for number in range(10)]) + b"{broken\n",
        "runs-b.jsonl": encoded([flat_line(number) for number in range(70, 80)]),
        "chats.jsonl": encoded([chat_line(number) for number in range(6)]),
    }


def _run(workspace: Path, command: str = "run-all") -> Finished:
    settings = load_settings(workspace).settings
    writer = EventWriter()
    request = Request(command, (), RECORDED_AT, writer, "installed")
    try:
        if command == "score":
            return run_score(workspace, settings, request)
        if command == "export":
            return run_export(workspace, settings, request)
        return run_all(workspace, settings, request, RunOptions(workers=1, chunk_bytes=CHUNK_BYTES))
    finally:
        writer.close()


@dataclass(frozen=True)
class Start:
    """A workspace to start from, and what an undisturbed run makes of it."""

    workspace: Path
    command: str
    last_good: dict[str, bytes]
    outputs: dict[str, bytes]
    run_hash: str


@pytest.fixture(scope="module", autouse=True)
def no_other_processes() -> Iterator[None]:
    """The scan and git are processes of their own and write nothing: they would only take time."""

    class NoScan:
        """The links that a scan looks through are made; nobody looks."""

        def __init__(self, session: Session, outputs: Mapping[str, Output]) -> None:
            staged_exports._view_of_new_outputs(session, outputs)
            self._sha256 = outputs[str(paths.SFT_EXPORT)].sha256

        def claim(self) -> dict[str, object]:
            return {"state": "CLEAR", "findings": 0, "sft_sha256": self._sha256}

        def abandon(self) -> None:
            """Nothing to end."""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staged_exports, "StagedScan", NoScan)
        patch.setattr(run_session, "read_git_state", lambda _: GitState(problem="not looked at"))
        yield


@pytest.fixture
def quick() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def starts() -> Iterator[dict[str, Start]]:
    with quick_folder() as root:
        yield _starts(root)


def _starts(root: Path) -> dict[str, Start]:
    fresh = make_workspace(root / "fresh", _sources())
    done = root / "done"
    shutil.copytree(fresh, done)
    first = _run(done)
    found = {"fresh": Start(fresh, "run-all", {}, output_bytes(done), first.run_hash)}
    changed = root / "changed"
    shutil.copytree(done, changed)
    change_sources(changed)
    unscored = root / "unscored"
    shutil.copytree(done, unscored)
    _lose_a_verdict(unscored)
    for name, workspace, command in (
        ("last-good", changed, "run-all"),
        ("unchanged", done, "run-all"),
        ("score", unscored, "score"),
        ("export", done, "export"),
    ):
        end = root / f"{name}-end"
        shutil.copytree(workspace, end)
        run_hash = _run(end, command).run_hash
        found[name] = Start(workspace, command, output_bytes(workspace), output_bytes(end), run_hash)
    assert found["last-good"].outputs != found["last-good"].last_good
    return found


def _lose_a_verdict(workspace: Path) -> None:
    """Verdicts that are what they would be again are not written, so that one is missing here."""
    scored = min((workspace / paths.SCORED_RUNS).glob("*.jsonl"))
    scored.write_bytes(b"".join(scored.read_bytes().splitlines(keepends=True)[:-1]))


STARTS = ("fresh", "last-good", "unchanged", "score", "export")


def test_short_writes_everywhere_change_nothing(
    quick: Path, starts: dict[str, Start], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(starts["last-good"].workspace, quick / "w")
    monkeypatch.setattr(disk, "operations", ShortWrites())
    assert _run(quick / "w").run_hash == starts["last-good"].run_hash
    assert_whole(quick / "w", starts["last-good"].outputs)


@pytest.mark.parametrize("name", ["last-good", "score"])
def test_a_run_that_a_disk_ended_keeps_no_staged_file_open(
    quick: Path, starts: dict[str, Start], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The process may go on: what it keeps open takes room on the very disk that has none."""
    workspace = quick / "w"
    refused = 0
    for number in range(1, 60, 3):
        shutil.copytree(starts[name].workspace, workspace)
        with monkeypatch.context() as patch:
            patch.setattr(disk, "operations", FaultyDisk(number, errno.ENOSPC, for_good=True))
            try:
                _run(workspace, starts[name].command)
            except StorageError:
                refused += 1
        assert _held_open(workspace / paths.STAGING) == [], number
        shutil.rmtree(workspace)
    assert refused > 5


def _held_open(folder: Path) -> list[str]:
    """The files below ``folder`` that this process has open, those that are gone already too."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(str(descriptor.readlink()))
    return [each for each in found if each.startswith(str(folder))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "error", "for_good"),
    [
        *((name, errno.ENOSPC, True) for name in STARTS),
        *((name, errno.EIO, False) for name in STARTS),
        ("last-good", errno.EIO, True),
        ("unchanged", errno.EIO, True),
    ],
    ids=lambda value: (
        errno.errorcode[value] if type(value) is int else {True: "for good", False: "once"}.get(value)
    ),
)
def test_a_disk_that_fails_at_the_nth_operation_costs_no_byte(
    quick: Path,
    starts: dict[str, Start],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    error: int,
    *,
    for_good: bool,
) -> None:
    start = starts[name]
    workspace = quick / "w"
    faults: Counter[str] = Counter()
    number = 0
    while True:
        number += 1
        shutil.copytree(start.workspace, workspace)
        if name == "unchanged":
            _run(workspace)  # a copied file has other times: this run makes them the known ones
        runs_before = {path.name for path in (workspace / paths.REPORTS).glob("*")}
        operations = FaultyDisk(number, error, for_good=for_good)
        with monkeypatch.context() as patch:
            patch.setattr(disk, "operations", operations)
            finished, refused = None, None
            try:
                finished = _run(workspace, start.command)
            except StorageError as error_of_run:
                refused = error_of_run
        faults.update(operations.failed)
        if refused is not None:
            assert refused.exit_code == ExitCode.NOT_EVALUABLE
            assert refused.fault.kept_safe
            _assert_failed(workspace, start, runs_before, error=error, for_good=for_good)
            assert _run(workspace, start.command).run_hash == start.run_hash, number
        elif finished is not None:
            # What the run can do without: events, the remembered state, the cleaning up.
            assert finished.run_hash == start.run_hash
        assert_whole(workspace, start.outputs)
        shutil.rmtree(workspace)
        if operations.count < number:
            break
    assert faults.total() >= number - 1
    # A run that found nothing changed writes its reports alone, and has nothing to keep by link.
    wanted = {"write", "fsync", "replace", "mkdir"} | (set() if name == "unchanged" else {"link"})
    assert set(faults) >= wanted


def _assert_failed(
    workspace: Path, start: Start, runs_before: set[str], *, error: int, for_good: bool
) -> None:
    """Old outputs or new ones, whole, or an open intent where the disk lets nothing be undone.

    Nothing of the failed run reads as passed, unless the disk does not even let its summary be
    withdrawn: then that describes the outputs as they are.
    """
    for path in (workspace / paths.REPORTS).glob("*"):
        if path.name in runs_before:
            continue
        summary = path / "summary.json"
        if summary.exists() and json.loads(summary.read_bytes())["ok"]:
            assert for_good
            assert error == errno.EIO
            if not (workspace / paths.INTENT).exists():
                assert_whole(workspace, start.outputs)
        events = [json.loads(line) for line in _whole_lines(path / "events.jsonl")]
        assert not any(event["type"] == "run.finished" and event["ok"] for event in events)
    if (workspace / paths.INTENT).exists():
        assert for_good, "this disk lets the commit be undone"
        return
    assert output_bytes(workspace) in (start.last_good, start.outputs)


def _whole_lines(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []
