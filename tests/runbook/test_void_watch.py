"""A plan is void as soon as a file moved, and no file is read over and over to know it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.actions.quarantine import plan_quarantine
from runbook.actions.rerun_stage import plan_command
from runbook.change import void_watch
from runbook.change.applied import Applied
from runbook.change.plan import Plan
from runbook.change.void_watch import VoidWatch
from tests.runbook.workspaces import SFT, make_workspace, planning


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "w").root


def quarantine(root: Path) -> Plan:
    return plan_quarantine(planning(make_workspace(root)), SFT).plan


def test_a_change_is_told_and_gone_when_the_bytes_are_back(root: Path) -> None:
    plan, watch = quarantine(root), VoidWatch(root)
    before = (root / SFT).read_text()
    assert watch.why(plan, Applied()) == ""
    (root / SFT).write_text("other\n")
    assert watch.why(plan, Applied()).startswith(f"{SFT} has changed since the plan was made")
    (root / SFT).write_text(before)
    assert watch.why(plan, Applied()) == ""


def test_a_file_that_a_command_would_meet_for_the_first_time_voids_its_plan(root: Path) -> None:
    plan = plan_command(planning(make_workspace(root)), ["export-sft", "write", SFT, "x"], title="again").plan
    watch = VoidWatch(root)
    assert watch.why(plan, Applied()) == ""
    (root / "exports/sft/new.jsonl").write_text("{}\n")
    assert "exports/sft/new.jsonl was not there" in watch.why(plan, Applied())


def test_files_are_read_again_only_when_they_moved(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    monkeypatch.setattr(void_watch, "refuse_when_changed", lambda *_: reads.append(1))
    plan, watch = quarantine(root), VoidWatch(root)
    for _ in range(5):
        watch.why(plan, Applied())
    assert len(reads) == 1
    watch.forget()
    watch.why(plan, Applied())
    assert len(reads) == 2
    watch.trust(plan, Applied())
    watch.why(plan, Applied())
    assert len(reads) == 2
