"""The screen's dialogues before a change: the reason, the word that takes over, the consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.control.changes import Changes

if TYPE_CHECKING:
    from console.control.armed import LeaseHeldError
    from console.control.feed import CommandPlan
    from console.tui.host import Host
    from console.tui.screens.consent import Agreed


class ChangeDialogues(Changes):
    def __init__(self, host: Host) -> None:
        super().__init__(host, host.armed, host.operations)
        self._host = host

    def arm_or_disarm(self) -> None:
        """Disarm at once when armed; otherwise ask for the reason."""
        if self._host.armed.is_armed:
            self.disarm()
        else:
            self._host.open("arm", then=self.arm_because)

    def arm_because(self, reason: str | None) -> None:
        """Arm with ``reason``; without one nothing happens. Asks first when another console is armed."""
        if reason and (held := self.arm(reason)) is not None:
            self._ask_to_take_over(held, reason)

    def _ask_to_take_over(self, held: LeaseHeldError, reason: str) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self.arm(reason, take_over=True)
            else:
                self._host.say(f"read-only: {held}")

        self._host.open("take_over", held.holder, then=answered)

    def ask_for(self, action_id: str, subject: str = "") -> None:
        """Plan a mutating action and ask; the command layer refuses when read-only."""
        plan = self.plan(action_id, subject)
        if plan is not None:
            from console.presentation.consent import command_consent

            consent = command_consent(plan)
            self._host.open("consent", consent, then=lambda agreed: self._answered(plan, agreed))

    def _answered(self, plan: CommandPlan, agreed: Agreed | None) -> None:
        if agreed is not None:
            self._host.run_worker(self.carry_out(plan), name=plan.action_id, exit_on_error=False)
        else:
            self.decline()
