from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts.faults import IntegrityError, StorageError, WorkspaceLockedError
from pipeline.contracts.incidents import IncidentEntry
from pipeline.platform import disk
from pipeline.reading.incident_journal import hash_of, parse
from pipeline.reading.incidents import HEAD, NEVER_OPENED, incident_ids, read_incidents
from pipeline.reading.report_files import Notes
from runbook.change import journal
from runbook.change.incident import Incident, load_incident, open_incident
from runbook.change.refusals import RefusedError
from runbook.probes.workspace import Workspace
from runbook.wizard.session import open_session
from tests.faulty_disk import FaultyDisk


@pytest.fixture
def incident(tmp_path: Path) -> Incident:
    made = open_incident(tmp_path, "S1.P4.sft-leak", "a leak")
    for number in range(5):
        made.journal.append("note", "detected", detail={"number": number})
    return made


def _lines(incident: Incident) -> list[bytes]:
    return incident.journal.path.read_bytes().splitlines(keepends=True)


def _said(incident: Incident) -> str:
    return "; ".join(problem.says for problem in incident.journal.problems())


def test_a_whole_journal_has_no_problem_and_folds_in_order(incident: Incident) -> None:
    assert incident.journal.problems() == []
    assert [entry.detail["number"] for entry in incident.journal.entries()] == [0, 1, 2, 3, 4]


def test_a_line_is_checked_once_however_often_the_journal_is_read(
    incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[int] = []

    def counted(lines: Sequence[bytes], after: Sequence[IncidentEntry] = ()) -> Any:
        checked.append(len(lines))
        return parse(lines, after)

    monkeypatch.setattr(journal, "parse", counted)
    for _ in range(20):
        incident.journal.append("note", "detected")
    assert len(incident.journal.entries()) == 25
    assert sum(checked) == 21  # the last that the fixture wrote, and these


def test_a_line_that_was_sound_and_is_edited_is_found(incident: Incident) -> None:
    assert len(incident.journal.entries()) == 5
    incident.journal.path.write_bytes(b"".join(_lines(incident)).replace(b'"number": 2', b'"number": 9'))
    with pytest.raises(IntegrityError, match=r"journal\.jsonl:3 was edited"):
        incident.journal.entries()


def test_a_dropped_line_in_the_middle_is_found(incident: Incident) -> None:
    lines = _lines(incident)
    incident.journal.path.write_bytes(b"".join(lines[:2] + lines[3:]))
    assert "does not follow" in _said(incident)
    with pytest.raises(IntegrityError):
        incident.journal.entries()


def test_a_changed_order_is_found(incident: Incident) -> None:
    lines = _lines(incident)
    incident.journal.path.write_bytes(b"".join([lines[0], lines[2], lines[1], *lines[3:]]))
    assert "does not follow" in _said(incident)


def test_an_edited_line_is_found(incident: Incident) -> None:
    lines = _lines(incident)
    lines[2] = lines[2].replace(b'"number": 2', b'"number": 9')
    incident.journal.path.write_bytes(b"".join(lines))
    assert "was edited" in _said(incident)


def test_an_edited_line_with_a_hash_of_its_own_breaks_the_chain_behind_it(incident: Incident) -> None:
    lines = _lines(incident)
    members = json.loads(lines[2])
    members["detail"] = {"number": 9}
    members["hash"] = hash_of(members)
    lines[2] = json.dumps(members).encode() + b"\n"
    incident.journal.path.write_bytes(b"".join(lines))
    assert "does not follow" in _said(incident)


def test_a_dropped_tail_is_found_against_the_kept_head(incident: Incident) -> None:
    incident.journal.path.write_bytes(b"".join(_lines(incident)[:3]))
    assert "the tail is gone" in _said(incident)


def test_a_head_that_is_older_than_the_journal_is_no_problem(incident: Incident) -> None:
    head = (incident.folder / "head.json").read_bytes()
    incident.journal.append("note", "detected")
    (incident.folder / "head.json").write_bytes(head)
    assert incident.journal.problems() == []


def test_a_torn_tail_is_no_entry_and_is_set_aside_by_the_next_one(incident: Incident) -> None:
    whole = incident.journal.path.read_bytes()
    incident.journal.path.write_bytes(whole + b'{"schema_version": 1, "inci')
    assert len(incident.journal.entries()) == 5
    incident.journal.append("note", "detected")
    assert len(incident.journal.entries()) == 6
    assert incident.journal.problems() == []
    assert [path.read_bytes() for path in incident.folder.glob("torn-*")] == [b'{"schema_version": 1, "inci']


def test_nothing_is_appended_to_a_broken_journal(incident: Incident) -> None:
    lines = _lines(incident)
    incident.journal.path.write_bytes(b"".join(lines[1:]))
    with pytest.raises(IntegrityError):
        incident.journal.append("note", "detected")


def test_a_journal_that_is_a_link_is_neither_read_nor_written(incident: Incident) -> None:
    incident.journal.path.unlink()
    incident.journal.path.symlink_to("/dev/zero")
    with pytest.raises(StorageError):
        incident.journal.append("note", "detected")


def test_odd_file_names_are_journalled_as_escapes(incident: Incident) -> None:
    entry = incident.journal.append("note", "detected", inputs={"a\udcff": None}, reason="\ud800")
    assert list(entry.inputs) == ["a\\udcff"]
    assert incident.journal.problems() == []


def test_two_incidents_of_one_minute_have_two_ids(tmp_path: Path) -> None:
    first, second = (open_incident(tmp_path, "S6.replay-log", "big") for _ in range(2))
    assert first.id != second.id
    assert sorted((first.id, second.id)) == incident_ids(tmp_path)


def test_an_incident_is_found_by_a_beginning_that_only_it_has(tmp_path: Path) -> None:
    first, second = (open_incident(tmp_path, "S6.replay-log", "big") for _ in range(2))
    assert load_incident(tmp_path, second.id).id == second.id
    assert load_incident(tmp_path, first.id).id == first.id
    for wrong in (first.id[:8], "../x", "", "nothing"):
        with pytest.raises(RefusedError):
            load_incident(tmp_path, wrong)


def test_a_second_operator_is_refused_and_told_who_holds_the_lease(incident: Incident) -> None:
    again = load_incident(incident.root, incident.id)
    with incident.lease():
        with pytest.raises(WorkspaceLockedError, match="worked on by"), again.lease():
            pytest.fail("two operators at once")
        assert again.lease_holder() is not None
    assert again.lease_holder() is None
    with again.lease():
        pass


def test_a_linked_reports_folder_carries_no_journal_out_of_the_workspace(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (root / "reports").symlink_to(outside)
    with pytest.raises(RefusedError):
        open_incident(root, None, "x")
    assert list(outside.iterdir()) == []


class _Stopped(BaseException):
    """A process that ends here."""


class _EndsAt(disk.DiskOperations):
    """Ends the process before its N-th change."""

    def __init__(self, number: int) -> None:
        self.left = number

    def _one(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise _Stopped

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        self._one()
        return super().write(descriptor, data)

    def replace(self, *names: Any, **folders: Any) -> None:
        self._one()
        super().replace(*names, **folders)

    def mkdir(self, *names: Any, **how: Any) -> None:
        self._one()
        super().mkdir(*names, **how)


def test_an_incident_cut_off_at_any_point_of_its_opening_is_no_tampering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = set()
    for number in range(1, 40):
        root = tmp_path / str(number)
        root.mkdir()
        monkeypatch.setattr(disk, "operations", _EndsAt(number))
        with contextlib.suppress(_Stopped):
            open_session(Workspace(root), None, None, title="cut off")
            break
        monkeypatch.undo()
        for incident_id in incident_ids(root):
            incident = load_incident(root, incident_id)
            assert incident.problems({}) == [], number
            (glance,) = read_incidents(root, Notes())
            states.add(glance.state)
            assert glance.state == "detected" or not glance.is_open
            incident.journal.append("note", "detected")  # whoever goes on mends it
            assert incident.problems({}) == [], number
    monkeypatch.undo()
    assert states == {NEVER_OPENED, "detected"}


def test_a_disk_that_fails_while_an_incident_is_opened_leaves_no_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 60):
        root = tmp_path / str(number)
        root.mkdir()
        faulty = FaultyDisk(number, errno.EIO)
        monkeypatch.setattr(disk, "operations", faulty)
        try:
            open_session(Workspace(root), None, None, title="refused")
        except StorageError:
            monkeypatch.undo()
            for incident_id in incident_ids(root):
                assert load_incident(root, incident_id).problems({}) == [], number
                assert len(load_incident(root, incident_id).journal.entries()) == 1
        else:
            break
    assert number > 8


def test_a_record_that_was_cut_to_its_first_entry_is_no_beginning(incident: Incident) -> None:
    incident.keep(b"an original")
    incident.journal.path.write_bytes(_lines(incident)[0])
    (incident.folder / HEAD).unlink()
    assert "does not say where the journal ended" in _said(incident)
    incident.journal.path.unlink()
    assert "does not say where the journal ended" in _said(incident)


@pytest.mark.parametrize("seq", [0, -1, -7, 2**80, True, "3"])
def test_a_head_with_an_impossible_number_is_said(incident: Incident, seq: object) -> None:
    (incident.folder / HEAD).write_text(json.dumps({"seq": seq, "hash": "0" * 64}))
    assert "does not say where the journal ended" in _said(incident)
