"""What stands between a key and a change: arming with a reason, a question, consent.

``Armed`` decides whether anything may change and ``Operations`` does it; here are the dialogues
between the two and what the operator is told. Read-only is the rest state: whatever ends the
arming, time or another console, is said at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from console.control.armed import LeaseHeldError, ReadOnlyError
from console.state.view_state import SessionChanged
from pipeline.contracts.faults import OperatorError

if TYPE_CHECKING:
    from console.live.feed import CommandPlan
    from console.tui.app import ConsoleApp

_NOTHING_TO_DO = {
    "run.cancel": "there is no run to cancel",
    "incident.export": "no incident is marked; I shows them",
}


class Changes:
    def __init__(self, app: ConsoleApp) -> None:
        self._app = app

    # Arming

    def arm_or_disarm(self) -> None:
        """Disarm at once when armed; otherwise ask for the reason."""
        from console.tui.screens.arm import ArmDialogue

        if self._app.armed.is_armed:
            self._disarm("disarmed: this console is read-only")
        else:
            self._app.push_screen(ArmDialogue(), self.arm)

    def arm(self, reason: str | None) -> None:
        """Arm with ``reason``; without one nothing happens. Asks first when another console is armed."""
        if not reason:
            return
        try:
            self._app.armed.arm(reason)
        except LeaseHeldError as held:
            self._ask_to_take_over(held, reason)
        except OperatorError as error:
            self._app.say(f"{error.fault.what_happened} {error.fault.do_next}", "error")
        else:
            self.publish_arming()
            self._app.say(f"armed for 15 minutes: {reason}", "warning")

    def _ask_to_take_over(self, held: LeaseHeldError, reason: str) -> None:
        from console.tui.screens.take_over import TakeOverDialogue

        def answered(yes: bool | None) -> None:
            if not yes:
                self._app.say(f"read-only: {held}")
                return
            try:
                self._app.armed.arm(reason, take_over=True)
            except OperatorError as error:
                self._app.say(error.fault.what_happened, "error")
                return
            self.publish_arming()
            self._app.say(f"control taken over, armed for 15 minutes: {reason}", "warning")

        self._app.push_screen(TakeOverDialogue(held.holder), answered)

    def end_arming_when_due(self) -> None:
        """Disarm when another console took over, or when the time is up."""
        if self._app.armed.was_taken_over:
            self._disarm("another console took control over: this one is read-only", "warning")
        elif self._app.state.session.armed_until is not None and not self._app.armed.is_armed:
            self._disarm("15 minutes are over: this console is read-only")

    def _disarm(self, said: str, level: str = "info") -> None:
        self._app.armed.disarm()
        self.publish_arming()
        self._app.say(said, level)

    def publish_arming(self) -> None:
        """Bring into the state until when the console is armed; every screen shows it."""
        left = self._app.armed.seconds_left
        until = self._app.now() + left if left else None
        self._app.take(SessionChanged(replace(self._app.state.session, armed_until=until)))

    # Asking and doing

    def ask_for(self, action_id: str, subject: str = "") -> None:
        """Plan a mutating action and ask; the command layer refuses when read-only."""
        try:
            plan = self._app.operations.plan(action_id, subject)
        except ReadOnlyError as refusal:
            self._app.say(str(refusal), "warning")
            return
        except OperatorError as error:
            self._app.say(error.fault.what_happened, "error")
            return
        if plan is None:
            self._app.say(_NOTHING_TO_DO.get(action_id, "a run is at work already"))
            return
        from console.tui.screens.consent import ConsentDialogue

        self._app.push_screen(ConsentDialogue(plan), lambda yes: self._consented(plan, yes))

    def _consented(self, plan: CommandPlan, yes: bool | None) -> None:
        if yes:
            self._app.run_worker(self._carry_out(plan), name=plan.action_id, exit_on_error=False)
        else:
            self._app.say("nothing was changed")

    async def _carry_out(self, plan: CommandPlan) -> None:
        try:
            self._app.say(await self._app.operations.carry_out(plan))
        except ReadOnlyError as refusal:
            self._app.say(str(refusal), "warning")
        except OperatorError as error:
            self._app.say(f"{error.fault.what_happened} {error.fault.do_next}", "error")
