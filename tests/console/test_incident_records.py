"""Journals as they are found, and the pack of an incident."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from console.control import plans
from console.control.armed import Permit
from console.live.live_feed import LiveFeed
from console.reading import incident_record
from console.reading.incident_chains import ChainChecks
from console.reading.incident_record import read_record, standing_at
from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.platform.code_question import code_of
from tests.console.fake_feed import plan_for
from tests.console.incident_folders import (
    ID,
    broken_incident,
    chained,
    entries,
    open_incident,
    piped_incident,
    real_incident,
    unreadable_incident,
    write_incident,
)


def test_a_whole_journal_is_read_with_what_was_known_after_each_entry(tmp_path: Path) -> None:
    real_incident(tmp_path)
    record = read_record(tmp_path, ID)
    assert record.is_whole
    assert record.can_undo
    assert [entry.kind for entry in record.entries][-2:] == ["outcome", "verified"]
    known = [standing_at(record, number) for number in range(1, 11)]
    states = [standing.state for standing in known if standing is not None]
    assert states[0] == "detected"
    assert states[-1] == "resolved"
    assert [standing.consented for standing in known if standing is not None] == [False] * 6 + [True] * 4
    intent, outcome = known[7], known[8]
    assert intent is not None
    assert intent.has_open_intent
    assert outcome is not None
    assert not outcome.has_open_intent


def test_an_edited_line_is_named_and_nothing_after_it_is_believed(tmp_path: Path) -> None:
    folder = broken_incident(tmp_path)
    record = read_record(tmp_path, folder.name)
    broken = record.first_broken
    assert broken is not None
    assert (broken.number, broken.problem) == (7, "was edited: its hash does not cover it")
    assert standing_at(record, 6) is not None
    assert standing_at(record, 7) is None
    assert len(record.entries) == 10
    assert not record.can_undo


def test_a_tail_that_was_cut_off_is_told_against_the_head(tmp_path: Path) -> None:
    folder = real_incident(tmp_path)
    journal = folder / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:8]))
    record = read_record(tmp_path, ID)
    assert record.problems == ("ends at entry 8, but had 10: the tail is gone",)
    assert not record.is_whole


def test_half_a_line_is_told_and_the_rest_is_replayed(tmp_path: Path) -> None:
    folder = real_incident(tmp_path)
    with (folder / "journal.jsonl").open("a") as file:
        file.write('{"kind": "to')
    record = read_record(tmp_path, ID)
    assert record.problems == ("ends in the middle of a line (a killed writer)",)
    assert standing_at(record, 10) is not None


def test_garbage_and_a_pipe_are_told_and_block_nobody(tmp_path: Path) -> None:
    garbage = read_record(tmp_path, unreadable_incident(tmp_path).name)
    assert [entry.problem for entry in garbage.entries] == ["is no entry of a journal"] * 2
    piped = read_record(tmp_path, piped_incident(tmp_path).name)
    assert piped.trouble == "its journal cannot be read: not a regular file"


def test_an_entry_whose_detail_is_of_another_version_costs_the_standing_alone(tmp_path: Path) -> None:
    rows = entries()
    rows[4]["detail"] = {"plan": {"schema_version": 9}}
    write_incident(tmp_path, chained(rows))
    record = read_record(tmp_path, ID)
    assert standing_at(record, 4) is not None
    assert standing_at(record, 5) is None
    assert record.first_broken is None
    assert record.problems


@pytest.mark.parametrize(
    ("limit", "value", "says"),
    [("MOST_ENTRIES", 5, "10 entries, too many"), ("MOST_BYTES", 100, "more than a report may have")],
)
def test_a_journal_beyond_the_limits_is_not_read(
    limit: str, value: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_record, limit, value)
    real_incident(tmp_path)
    assert says in read_record(tmp_path, ID).trouble


def test_a_runbook_that_cannot_be_loaded_costs_the_verdict_and_shows_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_incident(tmp_path)
    monkeypatch.setitem(sys.modules, "runbook.change.incident", None)
    record = read_record(tmp_path, ID)
    assert len(record.entries) == 10
    assert record.problems[0].startswith("the chain was not verified: ModuleNotFoundError")


def test_chains_are_verified_again_only_where_something_changed(tmp_path: Path) -> None:
    folder = real_incident(tmp_path)
    broken_incident(tmp_path)
    checks = ChainChecks(tmp_path)
    names = [ID, "20260427-0700-edited"]
    assert checks.broken(names) == {"20260427-0700-edited"}
    journal = folder / "journal.jsonl"
    before = journal.stat()
    lines = journal.read_text().splitlines()
    changed = json.loads(lines[6]) | {"actor": "mallory"}
    journal.write_text("\n".join([*lines[:6], json.dumps(changed), *lines[7:], ""]))
    os.utime(journal, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert checks.broken(names) == set(names)


def test_a_folder_without_a_journal_is_told(tmp_path: Path) -> None:
    folder = tmp_path / paths.INCIDENTS / "x"
    folder.mkdir(parents=True)
    assert "never opened" in read_record(tmp_path, "x").trouble
    (folder / "incident.md").write_text("what was done\n")
    assert read_record(tmp_path, "x").trouble == "it has no journal"


def test_what_is_held_by_somebody_says_by_whom(tmp_path: Path) -> None:
    from runbook.change.incident import Incident

    open_incident(tmp_path)
    with Incident(tmp_path, ID).lease():
        assert read_record(tmp_path, ID).held_by
    assert read_record(tmp_path, ID).held_by == ""


# Packs


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
