"""A disk that fails at the N-th sync, for every N: the file is whole, and the next try ends the plan."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pipeline.contracts.faults import StorageError
from runbook.actions.restore import plan_restore
from runbook.change.apply import apply_plan
from runbook.probes.workspace import Workspace
from runbook.wizard.journal import Journal
from tests.runbook.carrying_out import consented, taken_back
from tests.runbook.workspaces import direct, make_workspace, tree

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


def test_a_disk_that_fails_at_any_sync_leaves_whole_files_and_the_next_try_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync
    for number in range(1, 60):
        root = tmp_path / str(number)
        good, bad = _broken(root)
        before = tree(root)
        session = direct(Workspace(root))
        plan = consented(session, plan_restore(session.planning(), [SCHEMA, RECON]))
        left = number

        def failing(descriptor: int) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise OSError(errno.EIO, "Input/output error")
            real(descriptor)

        monkeypatch.setattr(os, "fsync", failing)
        try:
            apply_plan(session.workspace, session.incident, plan)
        except StorageError:
            failed = True
        else:
            failed = False
        monkeypatch.setattr(os, "fsync", real)
        assert (root / SCHEMA).read_bytes() in (good, bad)
        assert apply_plan(session.workspace, session.incident, plan).is_complete(plan), number
        assert (root / SCHEMA).read_bytes() == good
        assert (root / RECON).exists()
        taken_back(session)
        assert tree(root) == before, number
        if not failed:
            break
    assert number > 8
