"""A feed that says what a test tells it, and remembers what it was asked to change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from console.control.armed import Permit
from console.control.feed import CommandPlan

if TYPE_CHECKING:
    from console.control.feed import Item


def plan_for(action_id: str, *, critical: bool = False) -> CommandPlan:
    verb = "cancel the run" if action_id == "run.cancel" else f"start {action_id.partition('.')[0]}"
    verb = "start run-all" if action_id == "run.start" else verb
    return CommandPlan(
        action_id,
        verb.upper(),
        arguments=("run-all",),
        command=("distill", "run-all", "-C", "/srv/agent logs"),
        changes=("data/evidence, data/scored-runs, exports: replaced together, or not at all",),
        stays=("sources, settings, past reports",),
        way_back="the previous exports stay until the commit; cancel stops at a safe point",
        yes=f"yes, {verb}",
        critical=critical,
    )


class FakeFeed:
    def __init__(self, *, has_run: bool = False) -> None:
        self.carried_out: list[tuple[str, Permit]] = []
        self.refreshed = 0
        self.has_run = has_run
        self.is_critical = False
        self.subjects: list[str] = []
        self._queue: asyncio.Queue[Item] = asyncio.Queue()

    def put(self, item: Item) -> None:
        self._queue.put_nowait(item)

    async def items(self) -> AsyncIterator[Item]:
        while True:
            yield await self._queue.get()

    async def refresh(self) -> None:
        self.refreshed += 1

    def plan(self, action_id: str, subject: str = "") -> CommandPlan | None:
        self.subjects.append(subject)
        wants_run = action_id == "run.cancel"
        return plan_for(action_id, critical=self.is_critical) if wants_run == self.has_run else None

    async def carry_out(self, plan: CommandPlan, permit: Permit) -> str:
        self.carried_out.append((plan.action_id, permit))
        return f"{plan.action_id} done"
