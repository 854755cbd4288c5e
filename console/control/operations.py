"""The command layer: the only way from a key to a change.

Screens hand over an action or a plan and show what comes back. Whether it may be done is asked
twice, when the plan is made and again when it is carried out, because arming may have ended
while the question was on the screen.
"""

from __future__ import annotations

from console.control.armed import Armed, Permit
from console.control.feed import CommandPlan, Feed
from console.keymap import BY_ID


class Operations:
    def __init__(self, armed: Armed, feed: Feed) -> None:
        self._armed = armed
        self._feed = feed

    def plan(self, action_id: str, subject: str = "") -> CommandPlan | None:
        """What the action would do; None when there is nothing to do. Raises ReadOnlyError."""
        self._armed.permit(BY_ID[action_id])
        return self._feed.plan(action_id, subject)

    def preview(self, action_id: str, subject: str = "") -> CommandPlan | None:
        """The same plan for reading and copying, which is allowed in read-only too."""
        return self._feed.plan(action_id, subject)

    def permit(self, action_id: str) -> Permit:
        """For a deed that is planned elsewhere, in a wizard. Raises ReadOnlyError."""
        return self._armed.permit(BY_ID[action_id])

    async def carry_out(self, plan: CommandPlan) -> str:
        """Do what was consented to. Raises ReadOnlyError or OperatorError."""
        permit = self._armed.permit(BY_ID[plan.action_id])
        return await self._feed.carry_out(plan, permit)
