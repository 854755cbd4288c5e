"""What stands between a key and a change, for every face: arming, a plan to ask about, its end.

``Armed`` decides whether anything may change and ``Operations`` does it: the only way from a key to a change.
Whether it may be done is asked twice, when the plan is made and again when it is carried out, because arming
may have ended while the question was on the screen. A face asks: for the reason, for the word that takes
control over, for the consent to a plan; what came of it is said here, in the same words everywhere.
Read-only is the rest state: whatever ends the arming is said at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from console.control.armed import ARMED_SECONDS, Armed, LeaseHeldError, Permit, ReadOnlyError
from console.control.feed import CommandPlan, Feed
from console.keymap import BY_ID
from console.state.view_state import SessionChanged, ViewState
from pipeline.contracts.faults import Fault, OperatorError
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.control.feed import Item


_MINUTES = f"{ARMED_SECONDS / 60:.0f} minutes"
_NOTHING_TO_DO = {
    "run.cancel": "there is no run to cancel",
    "incident.export": "no incident is marked; I shows them",
    "engine.trust": "what would run here is trusted as it is",
}


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


class Face(Protocol):
    """``say`` tells one line, ``fail`` what went wrong; ``take`` folds an item into the state."""

    @property
    def state(self) -> ViewState: ...

    def now(self) -> float: ...

    def take(self, item: Item) -> None: ...

    def say(self, text: str, level: str = "info") -> None: ...

    def fail(self, fault: Fault) -> None: ...


class Changes:
    def __init__(self, face: Face, armed: Armed, operations: Operations) -> None:
        self._face = face
        self._armed = armed
        self._operations = operations

    # Arming

    def arm(self, reason: str, *, take_over: bool = False) -> LeaseHeldError | None:
        """Arm for ``reason``; who is armed instead, where that has to be asked about first."""
        try:
            self._armed.arm(reason, take_over=take_over)
        except LeaseHeldError as held:
            return held
        except OperatorError as error:
            self._face.fail(error.fault)
            return None
        self.publish_arming()
        taken = "control taken over, " if take_over else ""
        self._face.say(f"{taken}armed for {_MINUTES}: {visible(reason.strip(), 200)}", "warning")
        return None

    def disarm(self, said: str = "disarmed: this console is read-only", level: str = "info") -> None:
        self._armed.disarm()
        self.publish_arming()
        self._face.say(said, level)

    def end_arming_when_due(self) -> None:
        """Disarm when another console took over, or when the time is up."""
        if self._armed.was_taken_over:
            self.disarm("another console took control over: this one is read-only", "warning")
        elif self._face.state.session.armed_until is not None and not self._armed.is_armed:
            self.disarm(f"{_MINUTES} are over: this console is read-only")

    def publish_arming(self) -> None:
        """Bring into the state until when the console is armed; every view of it shows it."""
        left = self._armed.seconds_left
        until = self._face.now() + left if left else None
        self._face.take(SessionChanged(replace(self._face.state.session, armed_until=until)))

    # Asking and doing

    def plan(self, action_id: str, subject: str = "") -> CommandPlan | None:
        """What is asked about; None, and said why, when read-only and where there is nothing to do."""
        try:
            plan = self._operations.plan(action_id, subject)
        except ReadOnlyError as refusal:
            self._face.say(str(refusal), "warning")
            return None
        except OperatorError as error:
            self._face.fail(error.fault)
            return None
        if plan is None:
            self._face.say(_NOTHING_TO_DO.get(action_id, "a run is already running"))
        return plan

    def decline(self) -> None:
        self._face.say("nothing was changed")

    async def carry_out(self, plan: CommandPlan) -> None:
        """Do what was agreed to; arming may have ended meanwhile."""
        try:
            self._face.say(await self._operations.carry_out(plan))
        except ReadOnlyError as refusal:
            self._face.say(str(refusal), "warning")
        except OperatorError as error:
            self._face.fail(error.fault)
