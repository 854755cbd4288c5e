"""A disk that fails as a plan is carried out: the file is whole, and the next try ends the plan."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.contracts.faults import StorageError
from pipeline.platform import disk
from runbook.actions.quarantine import plan_quarantine
from runbook.actions.restore import plan_restore
from runbook.change.apply import apply_plan
from runbook.change.journal import Journal
from runbook.change.plan import Plan
from runbook.probes.workspace import Workspace
from runbook.wizard.session import WizardSession
from tests.faulty_disk import FaultyDisk, telling_operations
from tests.runbook.carrying_out import consented, taken_back
from tests.runbook.workspaces import SFT, direct, make_workspace, tree

SCHEMA = "pipeline/schemas/sft.py"
RECON = "docs/recon/local-distillation-recon.md"


def _broken(root: Path) -> tuple[bytes, bytes]:
    workspace = make_workspace(root)
    good = (workspace.root / SCHEMA).read_bytes()
    (root / SCHEMA).write_bytes(b"loosened\n")
    (root / RECON).unlink()
    return good, b"loosened\n"


def test_without_a_journal_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "w"
    _broken(root)
    session = direct(Workspace(root))
    plan = consented(session, plan_restore(session.planning(), [SCHEMA]))
    before = tree(root)

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Journal, "_write", full)
    with pytest.raises(StorageError, match="No space left"):
        apply_plan(session.workspace, session.incident, plan)
    assert tree(root) == before


@pytest.mark.parametrize(
    ("error", "for_good"), [(errno.EIO, False), (errno.ENOSPC, True)], ids=["once", "full"]
)
def test_a_disk_that_fails_at_any_operation_leaves_whole_files_and_the_next_try_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, *, for_good: bool
) -> None:
    root = tmp_path / "w"
    good, bad = _broken(root)
    before = tree(root)
    session = direct(Workspace(root))
    plan = consented(session, plan_restore(session.planning(), [SCHEMA, RECON]))
    for number in _each_fault(monkeypatch, session, plan, error, for_good=for_good):
        assert (root / SCHEMA).read_bytes() in (good, bad)
        assert apply_plan(session.workspace, session.incident, plan).is_complete(plan), number
        assert (root / SCHEMA).read_bytes() == good
        assert (root / RECON).exists()
        taken_back(session)
        assert tree(root) == before, number
    assert number > 20


def _each_fault(
    monkeypatch: pytest.MonkeyPatch, session: WizardSession, plan: Plan, error: int, *, for_good: bool
) -> Iterator[int]:
    """The number of each operation that failed as ``plan`` was carried out, in the workspace as it stands."""
    root = session.workspace.root
    start = root.with_name("start")
    shutil.copytree(root, start, symlinks=True)

    def carry_out() -> None:
        apply_plan(session.workspace, session.incident, plan)

    numbers = telling_operations(carry_out, error, for_good=for_good)
    for number in numbers:
        shutil.rmtree(root)
        shutil.copytree(start, root, symlinks=True)
        operations = FaultyDisk(number, error, for_good=for_good)
        with monkeypatch.context() as patch, suppress(StorageError):
            patch.setattr(disk, "operations", operations)
            carry_out()
        assert operations.failed.total() or number == numbers[-1], number
        yield number


@pytest.mark.parametrize(
    ("error", "for_good"), [(errno.EIO, False), (errno.ENOSPC, True)], ids=["once", "full"]
)
def test_a_rename_on_a_disk_that_fails_at_any_operation_is_done_once_and_can_be_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, *, for_good: bool
) -> None:
    root = tmp_path / "w"
    session = direct(make_workspace(root))
    (root / SFT).write_bytes(b"a breach\n")
    plan = consented(session, plan_quarantine(session.planning(), SFT))
    for number in _each_fault(monkeypatch, session, plan, error, for_good=for_good):
        assert apply_plan(session.workspace, session.incident, plan).is_complete(plan), number
        aside = [path.read_bytes() for path in (root / SFT).parent.glob(f"{Path(SFT).name}*")]
        assert aside == [b"a breach\n"], number
    assert number > 10
