"""What a batch says to who watches it, and to who does not."""

from __future__ import annotations

from typing import Any, cast

import pytest

from console.batch import stream
from console.batch.outcome import PartOutcome, PartState
from console.batch.parts import Part
from console.batch.stream import REDRAW_SECONDS, Narration
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
