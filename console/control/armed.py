"""Read-only until armed: the one place that lets a mutating action through.

Widgets and screens never decide this. Whatever wants to change something asks for a
``Permit`` with the action's entry of the key map, and gets ``ReadOnlyError`` instead unless an
operator has armed the console with a reason and it holds the workspace's control lease. Arming
ends by itself; the clock is a monotonic one, so that setting the machine's time neither ends it
early nor extends it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from console.keymap import BY_ID, Action

if TYPE_CHECKING:
    from pipeline.platform.lock import Holder

ARMED_SECONDS = 15 * 60.0


class ReadOnlyError(Exception):
    """A mutating action was asked of a console that is not armed. Nothing was done."""

    def __init__(self, action: Action) -> None:
        arm = BY_ID["arm"].shown_key
        super().__init__(f"read-only: arm first ({arm}), with a reason")
        self.action = action


class LeaseHeldError(Exception):
    """Another console holds the control lease. Nothing was done; it may be taken over."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(f"{holder.user or 'somebody'} controls this workspace from another console")
        self.holder = holder


class Lease(Protocol):
    """What arming needs of ``control_lease.ControlLease``."""

    def acquire(self) -> Holder | None: ...

    def take_over(self, reason: str) -> None: ...

    def is_ours(self) -> bool: ...

    def release(self) -> None: ...


@dataclass(frozen=True)
class Permit:
    """Says that ``action_id`` may change something now, and for which reason."""

    action_id: str
    reason: str


class Armed:
    """Whether this console may change anything. ``monotonic`` counts seconds.

    Without a ``lease`` there is no other console to agree with.
    """

    def __init__(self, monotonic: Callable[[], float], lease: Lease | None = None) -> None:
        self._monotonic = monotonic
        self._lease = lease
        self._until: float | None = None
        self.reason = ""

    @property
    def seconds_left(self) -> float:
        """0.0 when read-only."""
        return 0.0 if self._until is None else max(0.0, self._until - self._monotonic())

    @property
    def is_armed(self) -> bool:
        return self.seconds_left > 0

    @property
    def was_taken_over(self) -> bool:
        """Whether it is armed, but for the lease that another console holds now."""
        return self.is_armed and self._lease is not None and not self._lease.is_ours()

    def arm(self, reason: str, *, take_over: bool = False) -> None:
        """Raises ValueError without a reason: an unexplained change cannot be handed over.

        Raises LeaseHeldError while another console is armed, unless that is to be taken over,
        and StorageError when the lease cannot be written.
        """
        if not reason.strip():
            raise ValueError("arming needs a reason")
        if self._lease is not None and (holder := self._lease.acquire()) is not None:
            if not take_over:
                raise LeaseHeldError(holder)
            self._lease.take_over(reason.strip())
        self.reason = reason.strip()
        self._until = self._monotonic() + ARMED_SECONDS

    def disarm(self) -> None:
        self._until, self.reason = None, ""
        if self._lease is not None:
            self._lease.release()

    def permit(self, action: Action) -> Permit:
        """A permit for ``action``. Raises ReadOnlyError for a mutating one when read-only."""
        if action.mutating and (not self.is_armed or self.was_taken_over):
            raise ReadOnlyError(action)
        return Permit(action.id, self.reason)
