"""Keys, one after the other: the next is handed out when the one before it has done what it does.

Textual hands a key to the screen on top at once, and acts on it some messages later. Of keys that arrive in
one packet, over a slow link or from a fast hand, the second would still reach the screen that the first one
leaves: a letter that was meant for a palette is a command below it, a second enter answers a dialogue twice.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

Typed = events.Key | events.Paste

# Through the target's ancestors twice: first the key bubbles up to its binding, then what that posted does.
_ROUNDS = 2
# A widget that is removed while a key is on its way up never tells; then the next key goes on.
_STUCK_SECONDS = 1.0


class KeyQueue:
    """``hand_out`` delivers one key to what has the focus then; it may drop it."""

    def __init__(self, app: App[int], hand_out: Callable[[Typed], Awaitable[None]]) -> None:
        self._app = app
        self._hand_out = hand_out
        self._waiting: deque[Typed] = deque()
        self._busy_since: float | None = None

    @property
    def is_busy(self) -> bool:
        return self._busy_since is not None

    async def add(self, event: Typed) -> None:
        self._waiting.append(event)
        stuck = self._busy_since is not None and time.monotonic() - self._busy_since > _STUCK_SECONDS
        if self._busy_since is None or stuck:
            await self._next()

    async def _next(self) -> None:
        self._busy_since = None
        if not self._waiting:
            return
        self._busy_since = time.monotonic()
        target = self._app.focused or self._app.screen
        way_up = [node for node in target.ancestors_with_self if node is not self._app]
        await self._hand_out(self._waiting.popleft())
        self._settle([*way_up, self._app] * _ROUNDS)

    def _settle(self, way: list[MessagePump]) -> None:
        """Let each of ``way`` come to the end of its messages, in this order; then the next key is due."""
        while way:
            pump, *way = way
            if pump.call_later(self._settle, way):
                return
        self._app.call_later(self._next)
