"""What a batch says to who watches it, and to who does not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, cast

import pytest

from console.batch import stream
from console.batch.outcome import PartOutcome, PartState
from console.batch.parts import Part
from console.batch.stream import REDRAW_SECONDS, BatchStream, Narration
from pipeline.contracts.faults import StorageError
from pipeline.platform.voice import Voice

PROGRESS = {"type": "stage.progress", "stage": "score", "rows_in": 5}


class _Heard:
    """Stands for the voice, for the line that renews itself, and for the clock."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.shown: list[tuple[str, ...]] = []
        self.now = 100.0

    def note(self, text: str) -> None:
        self.notes.append(text)

    def show(self, *words: str) -> None:
        self.shown.append(words)

    def event(self, event: dict[str, Any], prefix: str) -> None:
        self.shown.append((f"{prefix}{event['stage']}", str(event["rows_in"])))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> _Heard:
    it = _Heard()
    monkeypatch.setattr(stream, "Progress", lambda: it)
    monkeypatch.setattr("console.batch.stream.time.monotonic", lambda: it.now)
    return it


def narration(heard: _Heard) -> Narration:
    return Narration(cast(Voice, heard))


def test_a_part_is_named_as_it_begins_and_in_what_it_does(heard: _Heard) -> None:
    said = narration(heard)
    said.begins(Part.RUN_ALL)
    said.event(PROGRESS)
    heard.now += REDRAW_SECONDS
    said.event({"type": "stage.started", "stage": "export"})
    assert heard.shown == [("run-all",), ("run-all score", "5"), ("run-all export",)]
    assert heard.notes == []


def test_it_is_drawn_a_few_times_a_second_and_every_check_is_counted(heard: _Heard) -> None:
    said = narration(heard)
    said.begins(Part.AUDIT)
    for _ in range(3):
        said.event({"type": "check.result"})
    heard.now += REDRAW_SECONDS - 0.01
    said.event({"type": "check.result"})
    heard.now += 0.01
    said.event({"type": "check.result"})
    assert heard.shown == [("audit-full",), ("audit-full", "1 check"), ("audit-full", "5 checks")]


def test_it_is_drawn_as_soon_as_its_time_has_passed(heard: _Heard) -> None:
    said = narration(heard)
    said.begins(Part.AUDIT)
    heard.now = REDRAW_SECONDS
    said.event({"type": "check.result"})
    assert heard.shown == [("audit-full",), ("audit-full", "1 check")]


def test_checks_are_counted_anew_for_each_part(heard: _Heard) -> None:
    said = narration(heard)
    for part in (Part.AUDIT, Part.ACCEPTANCE):
        said.begins(part)
        said.event({"type": "check.result"})
    assert heard.shown[1::2] == [("audit-full", "1 check"), ("acceptance", "1 check")]


def test_a_part_that_ended_is_one_line_with_its_word_time_and_reason(heard: _Heard) -> None:
    outcome = PartOutcome(
        Part.AUDIT, PartState.RAN, 1, 61.0, said="1 of 9 checks failed", detail="P2 lost\x1b a line"
    )
    narration(heard).ended(outcome)
    reason = "1 of 9 checks failed  P2 lost\\x1b a line"
    assert heard.notes == [f"audit-full      fail            1m 01s  {reason}"]


def test_a_quiet_batch_says_nothing(heard: _Heard) -> None:
    said = Narration(None)
    said.begins(Part.AUDIT)
    said.event(PROGRESS)
    said.ended(PartOutcome(Part.AUDIT, PartState.RAN, 0))
    assert (heard.shown, heard.notes) == ([], [])


# The stream of all parts


def read(place: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in place.read_bytes().splitlines()]


def test_events_are_numbered_anew_and_keep_the_time_at_which_they_were_said(tmp_path: Path) -> None:
    place = tmp_path / "events.jsonl"
    said = BatchStream(str(place), clock=lambda: 0.0)
    said.emit("run.started", command="batch")
    said.relay({"type": "run.started", "seq": 1})
    said.relay({"type": "check.result", "seq": 2, "at": "2026-01-01T00:00:00Z"})
    said.relay({"type": "run.finished", "seq": 3})
    said.log("audit-full ended")
    said.close()
    assert read(place) == [
        {"type": "run.started", "seq": 1, "at": "1970-01-01T00:00:00Z", "command": "batch"},
        {"type": "check.result", "seq": 2, "at": "2026-01-01T00:00:00Z"},
        {
            "type": "log", "seq": 3, "at": "1970-01-01T00:00:00Z", "level": "info",
            "message": "audit-full ended",
        },
    ]  # fmt: skip
    assert said.fault is None


def test_a_place_is_let_go_of_and_takes_nothing_afterwards(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    said = BatchStream(str(tmp_path / "events.jsonl"), clock=lambda: 0.0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before + 1
    said.close()
    said.log("too late")
    said.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert read(tmp_path / "events.jsonl") == []
    assert (tmp_path / "events.jsonl").stat().st_mode & 0o777 == 0o600


def test_standard_output_stays_open_and_nowhere_is_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    said = BatchStream("-", clock=lambda: 0.0)
    said.log("one")
    said.close()
    nowhere = BatchStream(None, clock=lambda: 0.0)
    nowhere.log("nobody hears")
    nowhere.close()
    os.write(1, b"still open\n")
    lines = capfd.readouterr().out.splitlines()
    assert (json.loads(lines[0])["message"], lines[1:]) == ("one", ["still open"])


def test_a_place_that_refuses_is_given_up_and_named() -> None:
    said = BatchStream("/dev/full", clock=lambda: 0.0)
    said.log("lost")
    said.log("lost, too")
    assert said.fault is not None
    assert "/dev/full" in said.fault.what_happened
    with pytest.raises(StorageError) as caught:
        BatchStream("/no/such/place", clock=lambda: 0.0)
    assert caught.value.fault.file == "/no/such/place"
