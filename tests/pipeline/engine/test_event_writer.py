"""Events: whole lines, numbered, and never the reason for a run to stop."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from pipeline.contracts import events, paths
from pipeline.contracts.faults import StorageError
from pipeline.engine.event_writer import EventWriter
from pipeline.platform import disk
from tests.pipeline.engine.workspaces import engine, make_workspace, rows


def _decoded(path: Path) -> list[events.Event]:
    return [events.decode(line) for line in path.read_bytes().splitlines()]


def test_a_second_place_gets_the_early_events_too(tmp_path: Path) -> None:
    writer = EventWriter()
    writer.add_place(tmp_path / "a")
    writer.log("info", "first")
    writer.add_place(tmp_path / "b")
    writer.stop_remembering()
    writer.log("info", "second")
    writer.close()
    assert [event.seq for event in _decoded(tmp_path / "a")] == [1, 2]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_stream_cut_at_every_byte_of_its_last_event_does_not_fuse_with_the_next(tmp_path: Path) -> None:
    writer = EventWriter()
    writer.add_place(tmp_path / "whole")
    writer.log("info", "kept")
    writer.log("warning", "cut: grüße")
    writer.close()
    first, last = (tmp_path / "whole").read_bytes().splitlines(keepends=True)
    for cut in range(len(last) + 1):
        place = tmp_path / f"cut-{cut}"
        place.write_bytes(first + last[:cut])
        again = EventWriter()
        again.add_place(place)
        again.log("info", "after")
        again.close()
        lines = place.read_bytes().splitlines()
        readable = [event for event in map(_or_none, lines) if event is not None]
        assert isinstance(readable[0], events.LogLine)
        assert readable[0].message == "kept"
        assert isinstance(readable[-1], events.LogLine)
        assert readable[-1].message == "after"


def _or_none(line: bytes) -> events.Event | None:
    try:
        return events.decode(line)
    except ValueError:
        return None


def test_a_place_that_cannot_be_opened_is_a_fault_in_three_lines(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        EventWriter().add_place(tmp_path / "missing" / "events.jsonl")
    assert len(caught.value.fault.as_lines()) == 3


class _OneIsFull(disk.DiskOperations):
    """One file takes half of a line and then nothing more."""

    def __init__(self, full: Path) -> None:
        self._full = full.stat().st_ino
        self._writes = 0

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        if os.fstat(descriptor).st_ino != self._full:
            return super().write(descriptor, data)
        self._writes += 1
        if self._writes > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(descriptor, data[: len(data) // 2])


def test_a_full_disk_ends_one_place_and_not_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = EventWriter()
    writer.add_place(tmp_path / "full")
    writer.add_place(tmp_path / "fine")
    writer.log("info", "both get this")
    monkeypatch.setattr(disk, "operations", _OneIsFull(tmp_path / "full"))
    for _ in range(3):
        writer.log("info", "only one gets this")
    writer.close()
    assert [event.seq for event in _decoded(tmp_path / "fine")] == [1, 2, 3, 4]
    whole, torn = (tmp_path / "full").read_bytes().splitlines()
    assert events.decode(whole).seq == 1
    assert _or_none(torn) is None
    assert writer.fault is not None
    assert str(tmp_path / "full") in writer.fault.what_happened


def test_a_command_whose_events_were_lost_ends_with_3_and_its_work_stands(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    done = engine(workspace, "run-all", "--events", "/dev/full")
    assert done.returncode == 3, done.stderr
    assert "Events could not be written to /dev/full: No space left on device" in done.stderr
    assert len(rows(workspace, paths.SFT_EXPORT)) > 0
    (own,) = (workspace / "reports/distillation").glob("2*/events.jsonl")
    last = _decoded(own)[-1]
    assert isinstance(last, events.RunFinished)
    summary = json.loads((own.parent / "summary.json").read_bytes())
    assert last.exit_code == summary["exit_code"] == 0, "the run's own story agrees with itself"
    assert engine(workspace, "run-all", "--events", os.devnull).returncode == 0


def test_a_reader_of_events_who_goes_away_is_no_fault(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    writer = EventWriter()
    writer.add_place(f"/proc/self/fd/{writing}")
    os.close(reading)
    writer.log("info", "nobody hears this")
    writer.close()
    os.close(writing)
    assert writer.fault is None
