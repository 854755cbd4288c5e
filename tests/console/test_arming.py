"""Read-only until armed, and one console at a time: enforced where changes are made, for each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console import keymap
from console.control.armed import ARMED_SECONDS, Armed, ReadOnlyError
from console.control.changes import Changes, Operations
from console.control.lease import ControlLease
from console.state.derive import advance
from console.state.view_state import Session, ViewState, initial
from pipeline.contracts.faults import Fault
from tests.console.apps import Clock
from tests.console.fake_feed import FakeFeed, plan_for

if TYPE_CHECKING:
    from console.control.feed import Item


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("action", keymap.MUTATING, ids=lambda action: action.id)
async def test_every_mutating_action_is_refused_when_read_only(action: keymap.Action, clock: Clock) -> None:
    feed = FakeFeed(has_run=action.id == "run.cancel")
    operations = Operations(Armed(clock), feed)
    with pytest.raises(ReadOnlyError):
        operations.plan(action.id)
    with pytest.raises(ReadOnlyError):
        await operations.carry_out(plan_for(action.id))
    assert feed.carried_out == []


@pytest.mark.parametrize("action", keymap.MUTATING, ids=lambda action: action.id)
async def test_an_armed_console_carries_the_reason_along(action: keymap.Action, clock: Clock) -> None:
    armed, feed = Armed(clock), FakeFeed()
    armed.arm("  nightly run failed ")
    await Operations(armed, feed).carry_out(plan_for(action.id))
    ((done, permit),) = feed.carried_out
    assert (done, permit.action_id, permit.reason) == (action.id, action.id, "nightly run failed")


async def test_arming_that_ends_while_the_question_stands_refuses_the_answer(clock: Clock) -> None:
    armed, feed = Armed(clock), FakeFeed()
    armed.arm("a reason")
    operations = Operations(armed, feed)
    plan = operations.plan("run.start")
    assert plan is not None
    clock.seconds += ARMED_SECONDS
    with pytest.raises(ReadOnlyError):
        await operations.carry_out(plan)
    assert feed.carried_out == []


def test_a_plan_may_be_read_and_copied_in_read_only(clock: Clock) -> None:
    plan = Operations(Armed(clock), FakeFeed()).preview("run.start")
    assert plan is not None
    assert plan.command_line == "distill run-all -C '/srv/agent logs'"


def test_looking_never_needs_arming(clock: Clock) -> None:
    armed = Armed(clock)
    for action in keymap.ACTIONS:
        if not action.mutating:
            assert armed.permit(action).action_id == action.id


def test_no_reason_no_arming(clock: Clock) -> None:
    armed = Armed(clock)
    with pytest.raises(ValueError, match="reason"):
        armed.arm("   ")
    assert not armed.is_armed


def test_arming_ends_by_itself(clock: Clock) -> None:
    armed = Armed(clock)
    armed.arm("a reason")
    clock.seconds += ARMED_SECONDS - 1
    assert armed.seconds_left == pytest.approx(1)
    clock.seconds += 1
    assert not armed.is_armed


def test_another_argument_is_another_plan() -> None:
    assert plan_for("run.start").digest != plan_for("run.cancel").digest
    assert plan_for("run.start").digest == plan_for("run.start").digest


# What is said of it, once for the screen and for plain prompts


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
        "read-only: arm first (a), with a reason",
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
    assert face.said[-1][0].startswith("read-only: arm first")
