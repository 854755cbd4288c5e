"""Keys, one after the other: the next is handed out when the one before it has done what it does.

Textual hands a key to the screen on top at once, and acts on it some messages later. Of keys that arrive in
one packet, over a slow link or from a fast hand, the second would still reach the screen that the first one
leaves: a letter that was meant for a palette is a command below it, a second enter answers a dialogue twice.
And what is typed before the workspace was read once has nothing to act on yet: it waits for that.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

from console import keymap

Typed = events.Key | events.Paste

# No longer than this does a key wait for the first reading.
FIRST_READING_SECONDS = 5.0
_NEED_NO_READING = ("how_to_quit", "help", "suspend", "redraw")
# Through the target's ancestors twice: first the key bubbles up to its binding, then what that posted does.
_ROUNDS = 2
# A widget that is removed while a key works on its way up never tells; then the next key goes on.
_STUCK_SECONDS = 1.0


class KeyQueue:
    """``hand_out`` delivers one key to what has the focus then; it may drop it."""

    def __init__(
        self, app: App[int], hand_out: Callable[[Typed], Awaitable[None]], *, is_held: bool = False
    ) -> None:
        self._app = app
        self._hand_out = hand_out
        self._waiting: deque[Typed] = deque()
        self._busy_since: float | None = None
        self._is_held = is_held

    def release(self) -> None:
        """There is something to act on now."""
        if self._is_held:
            self._is_held = False
            self._app.call_later(self._next)

    @property
    def is_busy(self) -> bool:
        return self._busy_since is not None

    async def add(self, event: Typed) -> None:
        event = _as_meant(event)
        if self._is_held and _is(event, ("quit",)):
            await self._hand_out(event)
            return
        self._waiting.append(event)
        stuck = self._busy_since is not None and time.monotonic() - self._busy_since > _STUCK_SECONDS
        if self._busy_since is None or stuck:
            await self._next()

    async def _next(self) -> None:
        self._busy_since = None
        if not self._waiting or (self._is_held and not _is(self._waiting[0], _NEED_NO_READING)):
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


def _is(event: Typed, action_ids: tuple[str, ...]) -> bool:
    keys = {key for name in action_ids for key in keymap.BY_ID[name].keys}
    return isinstance(event, events.Key) and event.key in keys


def _as_meant(event: Typed) -> Typed:
    """Enter, where it was typed before the terminal was ours: the kernel made a line end of it."""
    is_line_end = isinstance(event, events.Key) and event.key == "ctrl+j"
    return events.Key("enter", "\r") if is_line_end else event
