"""A report is measured against what it looked at itself, not only against the last run.

Files are touched for real here, and an inode's own time cannot be set: so these reports are of now.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.reading.engine_code import EngineCode
from console.reading.workspace_reader import WorkspaceReader
from pipeline.contracts import paths
from pipeline.contracts.moments import iso_utc
from pipeline.contracts.status import PhaseState, PhaseStatus
from tests.console.workspaces import check, workspace_after_a_run, write

AUDIT = paths.AUDIT_DATA
ACCEPTANCE = paths.ACCEPTANCE_DATA
RUN_HASH = "9f31c2d7" * 8  # of the run in tests.console.workspaces
HOUR = 3600.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return workspace_after_a_run(tmp_path, finished=datetime.now(UTC))


def edit(root: Path) -> None:
    with (root / paths.SFT_EXPORT).open("ab") as file:
        file.write(b'{"id": "by hand"}\n')


def report(*checks: dict[str, Any], began: float, **changes: Any) -> dict[str, Any]:
    """A report that looked from ``began`` (seconds from now) on and took a minute."""
    moment = time.time() + began
    known = {
        "started_at": iso_utc(moment),
        "finished_at": iso_utc(moment + 60),
        "run_hash": RUN_HASH,
        "checks": list(checks) or [check("P1.versions-pinned")],
    }
    return known | changes


def look(root: Path, phase: str) -> PhaseStatus:
    """A phase as it is read two minutes from now, when every report here is done."""
    status = WorkspaceReader(root).read(time.time() + 2 * HOUR)
    return next(known for known in status.phases if known.id == phase)


def test_an_audit_made_after_an_edit_by_hand_is_not_stale(root: Path) -> None:
    edit(root)
    write(root, AUDIT, report(began=HOUR))
    assert look(root, "P8").state is PhaseState.OK
    assert look(root, "P5").state is PhaseState.STALE  # the run's receipts have not seen the edit


def test_an_edit_by_hand_makes_the_audit_before_it_stale(root: Path) -> None:
    write(root, AUDIT, report(began=-HOUR))
    assert look(root, "P8").state is PhaseState.OK
    edit(root)
    assert look(root, "P8").state is PhaseState.STALE
    assert look(root, "P8").origin.why == f"{paths.SFT_EXPORT} changed"


def test_an_edit_while_the_audit_was_looking_makes_it_stale(root: Path) -> None:
    edit(root)
    write(root, AUDIT, report(began=-30.0))
    assert look(root, "P8").state is PhaseState.STALE


def test_an_old_copy_put_in_place_after_the_audit_makes_it_stale(root: Path) -> None:
    write(root, AUDIT, report(began=-HOUR))
    edit(root)
    os.utime(root / paths.SFT_EXPORT, (time.time() - 9 * HOUR, time.time() - 9 * HOUR))
    assert look(root, "P8").state is PhaseState.STALE


@pytest.mark.parametrize(("began", "expected"), [(HOUR, PhaseState.OK), (-HOUR, PhaseState.STALE)])
def test_a_file_that_is_gone_or_new_counts_from_when_it_went_or_came(
    root: Path, began: float, expected: PhaseState
) -> None:
    (root / paths.RAG_EXPORT).unlink()
    write(root, "data/_kb/taubench-2.jsonl", "{}\n")
    write(root, AUDIT, report(began=began))
    assert look(root, "P8").state is expected


def test_a_mended_export_dims_the_audit_that_found_it_damaged(root: Path) -> None:
    whole = (root / paths.SFT_EXPORT).read_bytes()
    edit(root)
    write(root, AUDIT, report(check("P5.receipts-match", "fail"), began=-HOUR))
    (root / paths.SFT_EXPORT).write_bytes(whole)
    assert look(root, "P8").state is PhaseState.FAIL
    assert "was written since" in look(root, "P8").origin.why


def test_an_audit_of_another_run_is_stale_whenever_it_was_made(root: Path) -> None:
    write(root, AUDIT, report(began=HOUR, run_hash="0" * 64))
    assert look(root, "P8").origin.why == "it looked at another run"
    write(root, AUDIT, report(began=-HOUR, run_hash="0" * 64))
    assert look(root, "P8").origin.why == "a run has finished since"


def test_changed_code_makes_audit_acceptance_and_release_stale(root: Path) -> None:
    same, other = {"digest": EngineCode(root).digest()}, {"digest": "0" * 64}
    gates = [{"name": "git_clean", "status": "pass"}]
    released = {"released_at": iso_utc(time.time() + HOUR), "run_hash": RUN_HASH, "gates": gates}
    for engine, expected in ((same, PhaseState.OK), (other, PhaseState.STALE)):
        write(root, AUDIT, report(began=HOUR, engine=engine))
        accepted = report(check("A01"), began=HOUR, engine=engine, run_hash="of the fixture")
        write(root, ACCEPTANCE, accepted)
        write(root, paths.RELEASE_MANIFEST, released | {"engine": engine})
        assert [look(root, phase).state for phase in ("P6", "P8", "P9")] == [expected] * 3
    assert look(root, "P6").origin.why == "the engine's code changed"


def test_a_release_counts_from_when_it_was_made(root: Path) -> None:
    gates = [{"name": "git_clean", "status": "pass"}]
    manifest = {"run_hash": RUN_HASH, "gates": gates}
    edit(root)
    for moment, expected in ((HOUR, PhaseState.OK), (-HOUR, PhaseState.STALE)):
        released = manifest | {"released_at": iso_utc(time.time() + moment)}
        write(root, paths.RELEASE_MANIFEST, released)
        assert look(root, "P9").state is expected
