"""A pack of an incident: planned, previewed, written by the command that was shown."""

from __future__ import annotations

import hashlib
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from console.control import plans
from console.control.armed import Permit
from console.live.live_feed import LiveFeed
from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from runbook.change.plan import code_of
from tests.console.fake_feed import plan_for
from tests.console.incident_folders import ID, broken_incident, real_incident


async def test_an_incident_is_packed_where_the_plan_says_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "distill.toml").write_text("")
    real_incident(tmp_path)
    feed = LiveFeed(tmp_path)
    plan = feed.plan("incident.export", ID)
    assert plan is not None
    assert plan.command_line.startswith(f"distill -C {tmp_path} incident export {ID} --out ")
    said = await feed.carry_out(plan, Permit("incident.export", "for the next shift"))
    target = tmp_path / "reports/console" / f"{ID}.tar.gz"
    assert said.startswith(f"exported: reports/console/{ID}.tar.gz, ")
    assert target.stat().st_mode & 0o777 == 0o600
    with tarfile.open(target) as pack:
        assert f"{ID}/journal.jsonl" in pack.getnames()
        assert f"{ID}/incident.md" in pack.getnames()


async def test_no_pack_takes_the_place_of_another(tmp_path: Path) -> None:
    (tmp_path / "distill.toml").write_text("")
    real_incident(tmp_path)
    names = []
    for _ in range(2):
        plan = plans.plan(tmp_path, "incident.export", ID, 0.0)
        assert plan is not None
        plans.export_incident(tmp_path, plan)
        names.append(plan.arguments[1])
    assert names == [f"reports/console/{ID}.tar.gz", f"reports/console/{ID}-2.tar.gz"]


def test_a_record_that_does_not_hold_is_packed_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "distill.toml").write_text("")
    folder = broken_incident(tmp_path)
    plan = plans.plan(tmp_path, "incident.export", folder.name, 0.0)
    assert plan is not None
    assert "exported" in plans.export_incident(tmp_path, plan)
    with tarfile.open(tmp_path / plan.arguments[1]) as pack:
        member = pack.extractfile(f"{folder.name}/journal.jsonl")
        assert member is not None
        assert member.read() == (folder / "journal.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["", "gone", "../..", "a/b"])
def test_there_is_no_plan_for_an_incident_that_is_not_there(name: str, tmp_path: Path) -> None:
    (tmp_path / paths.INCIDENTS).mkdir(parents=True)
    assert plans.plan(tmp_path, "incident.export", name, 0.0) is None


def test_a_folder_that_is_a_link_is_not_written_through(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "w", tmp_path / "elsewhere"
    elsewhere.mkdir()
    real_incident(root)
    (root / "reports/console").symlink_to(elsewhere)
    plan = plans.plan(root, "incident.export", ID, 0.0)
    assert plan is not None
    with pytest.raises(StorageError):
        plans.export_incident(root, plan)
    assert list(elsewhere.iterdir()) == []


def test_what_went_wrong_is_told(tmp_path: Path) -> None:
    real_incident(tmp_path)  # no distill.toml: the command finds no workspace
    plan = plans.plan(tmp_path, "incident.export", ID, 0.0)
    assert plan is not None
    with pytest.raises(StorageError) as failed:
        plans.export_incident(tmp_path, plan)
    assert "no distill.toml" in failed.value.fault.what_happened


def test_the_code_is_made_of_the_digest_as_in_the_plans_of_the_runbook() -> None:
    plan = plan_for("run.start")
    parts = "\0".join((plan.action_id, *plan.arguments, *plan.command, *plan.changes))
    assert plan.code == code_of(hashlib.sha256(parts.encode()).hexdigest())
    assert replace(plan, changes=("others",)).code != plan.code
