"""Arming and consent, once: what is said of them is the same on the screen and at plain prompts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from console.control.armed import ARMED_SECONDS, Armed
from console.control.changes import Changes, Operations
from console.control.lease import ControlLease
from console.state.derive import advance
from console.state.view_state import Session, ViewState, initial
from pipeline.contracts.faults import Fault
from tests.console.apps import Clock
from tests.console.fake_feed import FakeFeed

if TYPE_CHECKING:
    from console.control.feed import Item


@dataclass
class Face:
    clock: Callable[[], float]
    state: ViewState = field(default_factory=lambda: initial("/w", Session()))
    said: list[tuple[str, str]] = field(default_factory=list)

    def now(self) -> float:
        return self.clock()

    def take(self, item: Item) -> None:
        self.state = advance(self.state, item, self.now())

    def say(self, text: str, level: str = "info") -> None:
        self.said.append((text, level))

    def fail(self, fault: Fault) -> None:
        self.said.append((fault.what_happened, "error"))


def _changes(lease: ControlLease | None = None) -> tuple[Changes, Face, Clock, Armed]:
    clock = Clock()
    face, armed = Face(clock), Armed(clock, lease)
    return Changes(face, armed, Operations(armed, FakeFeed())), face, clock, armed


def test_arming_says_for_how_long_and_why_and_shows_in_the_state() -> None:
    changes, face, clock, _ = _changes()
    assert changes.arm(" the night ") is None
    assert face.said == [("armed for 15 minutes: the night", "warning")]
    assert face.state.session.armed_until == clock() + ARMED_SECONDS


def test_the_end_of_the_time_is_said_once_and_nothing_is_permitted_any_more() -> None:
    changes, face, clock, armed = _changes()
    changes.arm("the night")
    changes.end_arming_when_due()
    clock.seconds += ARMED_SECONDS
    changes.end_arming_when_due()
    changes.end_arming_when_due()
    assert [text for text, _ in face.said[1:]] == ["15 minutes are over: this console is read-only"]
    assert face.state.session.armed_until is None
    assert changes.plan("run.start") is None
    assert face.said[-1] == (
        "read-only: run.start changes something; arm first (a), with a reason",
        "warning",
    )
    assert not armed.is_armed


def test_another_console_is_asked_about_before_it_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / ".distill").mkdir()
    first, *_ = _changes(theirs := ControlLease(tmp_path, "mara"))
    second, face, _, armed = _changes(ControlLease(tmp_path, "jun"))
    assert first.arm("theirs") is None
    held = second.arm("ours")
    assert held is not None
    assert held.holder.user == "mara"
    assert not armed.is_armed
    assert face.said == []
    assert second.arm("ours", take_over=True) is None
    assert face.said == [("control taken over, armed for 15 minutes: ours", "warning")]
    assert not theirs.is_ours()


async def test_arming_that_ends_while_a_plan_is_on_view_refuses_it() -> None:
    changes, face, clock, _ = _changes()
    changes.arm("the night")
    plan = changes.plan("run.start")
    assert plan is not None
    clock.seconds += ARMED_SECONDS
    await changes.carry_out(plan)
    assert face.said[-1][0].startswith("read-only: run.start")
