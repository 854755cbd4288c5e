"""Whoever writes a file of a workspace, on a disk that fails at the N-th operation, for every place of one.

Each user of ``platform.disk`` is one row of the table. Afterwards every file is as it was or as an
undisturbed writer leaves it, whole; nothing half written lies beside it; the operator is told in
three lines; and on a disk that is well again the same call succeeds.
"""

from __future__ import annotations

import argparse
import errno
import functools
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.batch.parts import Part
from console.batch.report_folder import write_reports
from console.commands import metrics as metrics_command
from console.commands import report as report_command
from console.control.lease import ControlLease
from console.tui.capture import save_screen
from pipeline.checks.report import report_data, write_report
from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.contracts.status import Answer, Verdict
from pipeline.drift import baselines
from pipeline.engine import export_manifest
from pipeline.engine.chunk_cache import ChunkCache
from pipeline.engine.chunk_index import ChunkIndex
from pipeline.platform import disk, lock
from pipeline.reading import symptom_log
from pipeline.reading.incidents import incident_ids
from pipeline.release.handoff import write_handoff
from pipeline.replay.rotate import rotate
from pipeline.schemas import json_schema
from pipeline.schemas.json_schema import write_json_schemas
from pipeline.schemas.lock import write_lock
from pipeline.settings.load import load_settings
from pipeline.workspace import init_workspace
from runbook.change.incident import Incident, open_incident
from runbook.wizard.handover import export_incident
from tests.console.batch.outcomes import batch, part
from tests.console.view_states import status
from tests.faulty_disk import FaultyDisk, ShortWrites, telling_operations
from tests.quick_folder import quick_folder

OLD = b'{"old": true}\n'
TIME = "2026-04-27T06:00:00Z"
# No temporary name may be left, whoever gave it.
LITTER = (".tmp", ".new")


@dataclass(frozen=True)
class User:
    """``before`` makes the workspace that ``act`` writes to."""

    name: str
    act: Callable[[Path], Any]
    before: Callable[[Path], Any] = lambda _root: None


def _old(*relatives: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        for relative in relatives:
            (root / relative).parent.mkdir(parents=True, exist_ok=True)
            (root / relative).write_bytes(OLD)

    return make


def _with_incident(root: Path) -> None:
    open_incident(root, None, "by hand").journal.append("opened", "detected")


def _incident(root: Path) -> Incident:
    return Incident(root, incident_ids(root)[-1])


def _keep_file(root: Path) -> None:
    (root / "large").write_bytes(b"x" * 3000)
    _incident(root).keep_file(root, "large", hashlib.sha256(b"x" * 3000).hexdigest(), link=False)


@dataclass(frozen=True)
class _Silent:
    workspace: Path
    json: bool = False

    def note(self, _text: str) -> None:
        """Nobody listens."""


def _metrics(root: Path) -> None:
    asked = argparse.Namespace(out=root / "d.prom", firewall_seconds=0.0)
    metrics_command.run(asked, _Silent(root))  # type: ignore[arg-type]


def _page(root: Path) -> None:
    asked = argparse.Namespace(html=root / "page.html", firewall_seconds=0.0)
    report_command.run(asked, _Silent(root))  # type: ignore[arg-type]


def _reports(root: Path) -> None:
    kept = root / "distillation_phase6_acceptance.x"
    write_reports(
        root / "out",
        batch(part(Part.ACCEPTANCE, report={"temp_root": str(kept)})),
        None,
    )


def _kept_root(root: Path) -> None:
    _old("out/report.json", "out/junit.xml", "out/summary.md", "out/acceptance-root.tar.gz")(root)
    kept = root / "distillation_phase6_acceptance.x"
    kept.mkdir()
    (kept / "file").write_bytes(b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(1000)))


def _lease(root: Path, then: Callable[[ControlLease], Any]) -> None:
    lease = ControlLease(root, "mara", clock=lambda: 1_700_000_000.0)
    try:
        then(lease)
    finally:
        lease.leave()


def _manifest(root: Path) -> None:
    (root / paths.EXPORTS).mkdir(parents=True)
    (root / paths.EXPORT_MANIFEST).write_text('{"files": []}')


def _report(root: Path) -> None:
    report = report_data("audit", (), 0, started_at=TIME, finished_at=TIME, elapsed_seconds=1.0)
    write_report(root, paths.AUDIT_REPORT, report)


def _baseline(root: Path) -> None:
    row = {"metrics": {}, "denominators": {}, "breakdown": {}, "decided_metrics": [], "notes": "a test"}
    run = {"pipeline_run_id": "20260427T060000Z-9f31", "run_hash": "ab" * 32, "actor": "mara"}
    facts = {"schema_version": 1, "kind": "accept", "revokes": None, "recorded_at": TIME}
    baselines.append(root, {**row, **run, **facts})


def _looks(root: Path) -> None:
    symptom_log.keep_looks(root, [Answer(Verdict.CLEAR, "nothing", 7.0, id="A")], 7.0)


def _full_log(root: Path) -> None:
    (root / paths.SYMPTOM_LOG).parent.mkdir(parents=True)
    (root / paths.SYMPTOM_LOG).write_bytes(OLD * (symptom_log.MOST_BYTES // len(OLD)))


def _run_lock(root: Path) -> None:
    with lock.hold_workspace(root, command="run-all"):
        pass


def _incidents_lease(root: Path) -> None:
    with _incident(root).lease():
        pass


def _chunk(root: Path) -> None:
    index = ChunkIndex.made_of([b""] * 4, lines_read=0, lines=[], skips=[], counts={})
    ChunkCache(root).store("ab" * 32, index, [b"row\n" * 2000])


# Others go on without it: a console that cannot say that it is here is not seen.
UNHEARD = {"presence of a console"}
USERS = (
    User("a saved screen", lambda root: save_screen(root, "text", "txt", 1_700_000_000.0)),
    User("metrics", _metrics, _old("d.prom")),
    User("page of a report", _page, _old("page.html")),
    User("batch reports", _reports, _kept_root),
    User("control lease", lambda root: _lease(root, lambda lease: lease.acquire())),
    User("control lease, taken over", lambda root: _lease(root, lambda lease: lease.take_over("a test"))),
    User("presence of a console", lambda root: _lease(root, lambda lease: lease.enter())),
    User("run lock", _run_lock),
    User("an incident", lambda root: open_incident(root, None, "by hand")),
    User("journal", lambda root: _incident(root).journal.append("note", "detected"), _with_incident),
    User("incident's store", lambda root: _incident(root).keep(b"y" * 3000), _with_incident),
    User("incident's store, copied", _keep_file, _with_incident),
    User("incident pack", lambda root: export_incident(_incident(root), root / "pack"), _with_incident),
    User("incident's lease", _incidents_lease, _with_incident),
    User("report of checks", _report, _old(str(paths.AUDIT_REPORT))),
    User("what detectors said", _looks, _old(str(paths.SYMPTOM_LOG))),
    User("what detectors said, begun anew", _looks, _full_log),
    User("hand-off", lambda root: write_handoff(root, load_settings(root).settings), init_workspace),
    User("baselines", _baseline, _old(str(paths.AUDIT_BASELINES))),
    User("replay log", lambda root: rotate(root, epoch=7), _old(str(paths.REPLAY_RUNS))),
    User("export manifest", lambda root: export_manifest.void(root, "a test"), _manifest),
    User("chunk cache", _chunk),
    User("JSON Schemas", lambda root: write_json_schemas(root / "schemas")),
    User("schema lock", lambda root: write_lock(root / "schemas.lock.json")),
    User("a new workspace", init_workspace),
)


_SCHEMAS = functools.cache(json_schema.all_json_schemas)


def _files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


def _is_whole(name: str, data: bytes) -> bool:
    """Whether a file whose bytes carry a time or a digest of one is no half of a file."""
    if name.endswith(".tar.gz") or name == "pack":
        with tarfile.open(fileobj=io.BytesIO(data)) as packed:
            return all(packed.extractfile(member) is not None for member in packed if member.isfile())
    if name.endswith(".html"):
        return data.startswith(b"<!doctype html>") and data.endswith(b"</html>\n")
    if name.endswith(".jsonl"):
        return not data or (data.endswith(b"\n") and all(json.loads(line) for line in data.splitlines()))
    if name.endswith((".json", "lease", "lock")):
        # Words in a lock are no promise: it is taken back when they cannot be written.
        return not data or bool(json.loads(data))
    return False


def _assert_old_or_new(root: Path, before: dict[str, bytes], after: dict[str, bytes]) -> None:
    for name, data in _files(root).items():
        assert not name.endswith(LITTER), name
        assert data in (before.get(name), after.get(name)) or _is_whole(name, data), (name, data[-200:])
    rotated = list((root / paths.KNOWLEDGE_BASE).glob("replay_runs.archive.*"))
    for name in before.keys() & after.keys():
        assert (root / name).exists() or rotated, f"{name} is gone"


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that would be drawn are the same each time; nobody scans for the metrics, and what a schema
    says is worked out once."""
    monkeypatch.setattr("secrets.token_hex", lambda _=8: "0123")
    monkeypatch.setattr(disk, "random_part", lambda: "0123")
    monkeypatch.setattr(metrics_command, "read_whole_status", lambda *_: status())
    monkeypatch.setattr(report_command, "read_whole_status", lambda *_: status())
    monkeypatch.setattr(json_schema, "all_json_schemas", _SCHEMAS)


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.name)
@pytest.mark.parametrize(
    ("error", "for_good"), [(errno.ENOSPC, True), (errno.EIO, False)], ids=["full", "once"]
)
def test_a_disk_that_fails_costs_no_old_byte_and_leaves_no_half(
    monkeypatch: pytest.MonkeyPatch, user: User, error: int, *, for_good: bool
) -> None:
    told: list[str] = []
    with quick_folder() as folder:
        root, start, well = folder / "w", folder / "start" / "w", folder / "well" / "w"
        start.mkdir(parents=True)
        user.before(start)
        shutil.copytree(start, well, symlinks=True)
        numbers = telling_operations(lambda: user.act(well), error, for_good=for_good)
        before, after = _files(start), _files(well)
        for number in numbers:
            shutil.rmtree(root, ignore_errors=True)
            shutil.copytree(start, root, symlinks=True)
            operations = FaultyDisk(number, error, for_good=for_good)
            with monkeypatch.context() as patch:
                patch.setattr(disk, "operations", operations)
                try:
                    user.act(root)
                except StorageError as error_told:
                    told.append(error_told.fault.kept_safe)
            assert operations.failed.total() or number == numbers[-1], number
            _assert_old_or_new(root, before, after)
            user.act(root)
    assert all(told)
    assert told or user.name in UNHEARD, "no failure was told"


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.name)
def test_short_writes_change_nothing(monkeypatch: pytest.MonkeyPatch, user: User) -> None:
    with quick_folder() as folder:
        for place in (folder / "well" / "w", folder / "w"):
            place.mkdir(parents=True)
            user.before(place)
        user.act(folder / "well" / "w")
        monkeypatch.setattr(disk, "operations", ShortWrites())
        user.act(folder / "w")
        _assert_old_or_new(folder / "w", {}, _files(folder / "well" / "w"))
