from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.live.event_tail import LOG_LINES_PER_SECOND, MAX_DECODED_EVENTS, MAX_LINE_BYTES, EventTail
from console.state.view_state import LOG_LIMIT, TailSlice
from pipeline.contracts.events import LogLine, RunStarted, StageProgress, UnknownEvent

AT = "2026-04-27T06:00:00Z"
# Ample for any test file on a busy machine: the budget is not what these tests are about.
UNHURRIED = 30.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def tail(path: Path) -> Iterator[EventTail]:
    """It opens its file when it is first read."""
    made = EventTail(path)
    yield made
    made.close()


def line(seq: int, kind: str = "log", **fields: Any) -> bytes:
    if kind == "log":
        fields.setdefault("message", f"line {seq}")
    return json.dumps({"type": kind, "seq": seq, "at": AT, **fields}).encode() + b"\n"


def started(seq: int = 1) -> bytes:
    return line(seq, "run.started", pipeline_run_id="r", command="run-all", workspace="/w", pid=1, host="h")


def read(tail: EventTail) -> TailSlice:
    return tail.read_slice(UNHURRIED)


def messages(found: TailSlice) -> list[str]:
    return [event.message for event in found.events if isinstance(event, LogLine)]


def test_a_torn_tail_is_read_again_when_it_is_whole(path: Path, tail: EventTail) -> None:
    whole = line(1)
    path.write_bytes(whole[:10])
    assert read(tail).events == ()
    path.write_bytes(whole)
    assert messages(read(tail)) == ["line 1"]


def test_a_missing_file_is_waited_for(path: Path, tail: EventTail) -> None:
    assert read(tail).is_empty
    path.write_bytes(started())
    assert isinstance(read(tail).events[0], RunStarted)


def test_truncation_starts_the_file_over(path: Path, tail: EventTail) -> None:
    path.write_bytes(started() + line(2) + line(3))
    read(tail)
    path.write_bytes(started())
    found = read(tail)
    assert found.restarted
    assert len(found.events) == 1
    assert found.lost == 0


def test_rotation_starts_on_the_new_file(tmp_path: Path, path: Path, tail: EventTail) -> None:
    path.write_bytes(started() + line(2))
    read(tail)
    newer = tmp_path / "newer"
    newer.write_bytes(started() + line(2) + line(3) + line(4))
    newer.rename(path)
    found = read(tail)
    assert found.restarted
    assert messages(found) == ["line 2", "line 3", "line 4"]


def test_a_deleted_file_leaves_what_was_read(path: Path, tail: EventTail) -> None:
    path.write_bytes(started())
    read(tail)
    path.unlink()
    assert read(tail).is_empty


def test_a_line_of_one_megabyte_is_an_event(path: Path, tail: EventTail) -> None:
    path.write_bytes(line(1, message="x" * 1_000_000) + line(2))
    assert [len(text) for text in messages(read(tail))] == [1_000_000, 6]


def test_a_line_past_the_limit_is_garbage_and_the_next_one_is_read(path: Path, tail: EventTail) -> None:
    path.write_bytes(line(1, message="x" * (MAX_LINE_BYTES + 1)) + line(2))
    found = read(tail)
    assert messages(found) == ["line 2"]
    assert found.garbage == 1


def test_garbage_lines_are_counted_and_skipped(path: Path, tail: EventTail) -> None:
    deep = b"[" * 100_000 + b"\n"
    path.write_bytes(b'\xff\xfe\n[1]\n"text"\n{"seq": 1}\n{"type": 7}\n' + deep + line(1) + b"\n\n")
    found = read(tail)
    assert messages(found) == ["line 1"]
    assert found.garbage == 6


def test_an_event_of_a_newer_engine_is_kept_raw(path: Path, tail: EventTail) -> None:
    path.write_bytes(line(1, "stage.paused", reason="lunch"))
    (event,) = read(tail).events
    assert isinstance(event, UnknownEvent)
    assert event.raw["reason"] == "lunch"


def test_lost_lines_are_told_by_seq(path: Path, tail: EventTail) -> None:
    path.write_bytes(started() + line(2) + line(6) + line(6) + line(4))
    assert read(tail).lost == 3


def test_newer_progress_replaces_older_of_the_same_stage(path: Path, tail: EventTail) -> None:
    flood = [line(seq, "stage.progress", stage="PS"[seq % 2], rows_in=seq) for seq in range(2, 1002)]
    path.write_bytes(started() + b"".join(flood))
    found = read(tail)
    progress = [event for event in found.events if isinstance(event, StageProgress)]
    assert sorted(event.rows_in for event in progress) == [1000, 1001]
    assert found.replaced == 998
    assert found.lost == 0


def test_only_as_many_log_lines_are_decoded_as_a_screen_keeps(path: Path, tail: EventTail) -> None:
    path.write_bytes(b"".join(line(seq) for seq in range(1, 3 * LOG_LIMIT + 1)))
    found = read(tail)
    assert messages(found)[-1] == f"line {3 * LOG_LIMIT}"
    assert len(found.events) == LOG_LIMIT
    assert found.caught_up


def test_a_flood_that_cannot_be_thinned_out_is_taken_in_slices(path: Path, tail: EventTail) -> None:
    count = MAX_DECODED_EVENTS * 2 + 10
    path.write_bytes(b"".join(line(seq, "stage.started", stage=str(seq)) for seq in range(1, count + 1)))
    slices = [read(tail)]
    while not slices[-1].caught_up:
        slices.append(read(tail))
    assert sum(len(found.events) for found in slices) == count
    assert len(slices) > 2


def test_a_slice_ends_when_its_budget_does(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(line(seq) for seq in range(1, 20_001)))
    ticks = iter(range(10_000_000))
    tail = EventTail(path, clock=lambda: next(ticks) / 1000)
    found = tail.read_slice(0.008)
    assert 0 < found.lines < 20_000
    assert not found.caught_up
    said = messages(found)
    while not found.caught_up:
        found = tail.read_slice(0.008)
        said += messages(found)
    assert said[-1] == "line 20000"
    tail.close()


def test_a_fifo_in_place_of_the_file_does_not_block(path: Path, tail: EventTail) -> None:
    os.mkfifo(path)
    assert read(tail).is_empty


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, 2000), max_size=12), junk=st.binary(max_size=40))
def test_however_the_writes_are_cut_the_same_events_come_out(
    tmp_path_factory: Any, cuts: list[int], junk: bytes
) -> None:
    path = tmp_path_factory.mktemp("tail") / "events.jsonl"
    data = b"".join(line(seq) for seq in range(1, 15)) + junk.replace(b"\n", b" ") + b"\n" + line(15)
    path.touch()
    tail = EventTail(path)
    seen: list[str] = []
    position = 0
    for end in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
        with path.open("ab") as file:
            file.write(data[position:end])
        position = max(position, end)
        seen += messages(read(tail))
    assert seen == [f"line {seq}" for seq in range(1, 16)]
    tail.close()


def test_what_keeps_coming_is_thinned_out_but_warnings_are_not(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    now = [100.0]
    tail = EventTail(path, clock=lambda: now[0])
    path.write_bytes(started() + b"".join(line(seq) for seq in range(2, 1002)))
    assert len(messages(read(tail))) == LOG_LIMIT
    with path.open("ab") as file:
        file.write(line(1002, level="warning", message="look here"))
        file.write(b"".join(line(seq) for seq in range(1003, 2004)))
    now[0] += 0.05
    found = read(tail)
    assert len(messages(found)) <= 0.05 * LOG_LINES_PER_SECOND + 2
    assert "look here" in messages(found)
    assert messages(found)[-1] == "line 2003"
    assert found.lost == 0
    tail.close()
