"""Read-only until armed: enforced where changes are made, for each of them, and only for a while."""

from __future__ import annotations

import pytest

from console import keymap
from console.control.armed import ARMED_SECONDS, Armed, ReadOnlyError
from console.control.changes import Operations
from tests.console.apps import Clock
from tests.console.fake_feed import FakeFeed, plan_for


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
