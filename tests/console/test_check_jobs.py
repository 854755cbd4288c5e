"""The plans that start audit, acceptance and release-freeze."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from console.control import plans
from console.live.live_feed import LiveFeed
from tests.console.check_reports import AUDIT_EVENTS, events
from tests.console.workspaces import write

STARTS = {
    "audit.start": "audit-full",
    "acceptance.start": "acceptance",
    "release.start": "release-freeze",
}


@pytest.mark.parametrize(("action_id", "command"), STARTS.items())
def test_the_plan_is_the_command_that_would_be_typed(tmp_path: Path, action_id: str, command: str) -> None:
    plan = LiveFeed(tmp_path).plan(action_id)
    assert plan is not None
    assert plan.arguments == (command,)
    assert plan.command_line == f"distill {command} -C {tmp_path}"
    assert plan.changes
    assert plan.stays


def test_a_check_that_is_at_work_is_not_started_twice(tmp_path: Path) -> None:
    write(tmp_path, AUDIT_EVENTS, events("audit-full", [], host="another"))
    assert plans.plan(tmp_path, "audit.start", "", time.time()) is None
    assert plans.plan(tmp_path, "release.start", "", time.time()) is not None


def test_other_actions_have_no_plan_here(tmp_path: Path) -> None:
    assert plans.plan(tmp_path, "screen.audit", "", time.time()) is None
