"""Read-only until armed: the one place that lets a mutating action through.

Widgets and screens never decide this. Whatever wants to change something asks for a
``Permit`` with the action's entry of the key map, and gets ``ReadOnlyError`` instead unless an
operator has armed the console with a reason. Arming ends by itself; the clock is a monotonic
one, so that setting the machine's time neither ends it early nor extends it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from console.keymap import Action

ARMED_SECONDS = 15 * 60.0


class ReadOnlyError(Exception):
    """A mutating action was asked of a console that is not armed. Nothing was done."""

    def __init__(self, action: Action) -> None:
        super().__init__(f"read-only: {action.id} changes something. a arms this console, with a reason.")
        self.action = action


@dataclass(frozen=True)
class Permit:
    """Says that ``action_id`` may change something now, and for which reason."""

    action_id: str
    reason: str


class Armed:
    """Whether this console may change anything. ``monotonic`` counts seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: float | None = None
        self.reason = ""

    @property
    def seconds_left(self) -> float:
        """0.0 when read-only."""
        return 0.0 if self._until is None else max(0.0, self._until - self._monotonic())

    @property
    def is_armed(self) -> bool:
        return self.seconds_left > 0

    def arm(self, reason: str) -> None:
        """Raises ValueError without a reason: an unexplained change cannot be handed over."""
        if not reason.strip():
            raise ValueError("arming needs a reason")
        self.reason = reason.strip()
        self._until = self._monotonic() + ARMED_SECONDS

    def disarm(self) -> None:
        self._until, self.reason = None, ""

    def permit(self, action: Action) -> Permit:
        """A permit for ``action``. Raises ReadOnlyError for a mutating one when read-only."""
        if action.mutating and not self.is_armed:
            raise ReadOnlyError(action)
        return Permit(action.id, self.reason)
