"""Where the console's facts come from, and how it asks for a change: the seam that tests use.

A feed is one stream of items for ``derive.advance`` and two requests. The live feed reads
the workspace; tests replay a recorded one. Each request takes the ``Permit`` that the armed
console gave out, so that no path to a change avoids it.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from console.control.armed import Permit
from pipeline.contracts.shell_words import joined
from pipeline.platform.code_question import code_of

if TYPE_CHECKING:
    from console.state.view_state import Fact, TailSlice
    from pipeline.contracts.events import Event

    Item = Event | TailSlice | Fact


@dataclass(frozen=True)
class CommandPlan:
    """One change, whole: what the preview shows, what ``c`` copies and what is run are this.

    ``command`` is what an operator would type, word by word. ``arguments`` are what is handed
    on: the engine's, or for a cancel the run's id. A ``critical`` one leaves no way back to the
    bytes of before, or ends somebody else's work: its ``code`` has to be typed. ``difference`` is a diff that
    is read first.
    """

    action_id: str
    title: str
    arguments: tuple[str, ...]
    command: tuple[str, ...]
    changes: tuple[str, ...]
    stays: tuple[str, ...]
    way_back: str
    yes: str
    no: str = "no, change nothing"
    removes: tuple[str, ...] = ()
    critical: bool = False
    difference: tuple[str, ...] = ()

    @property
    def command_line(self) -> str:
        """The command, quoted so that neither a shell nor a terminal obeys a word of it."""
        return joined(self.command)

    @property
    def digest(self) -> str:
        """Names this very plan; another argument gives another digest."""
        return self._hash[:6]

    @property
    def code(self) -> str:
        """Four digits of the same hash, as in the runbook's plans: what is typed to agree to it."""
        return code_of(self._hash)

    @property
    def _hash(self) -> str:
        parts = "\0".join((self.action_id, *self.arguments, *self.command, *self.changes))
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()


class Feed(Protocol):
    """What the app needs of the world. ``items`` ends only when the app closes it."""

    def items(self) -> AsyncIterator[Item]: ...

    async def refresh(self) -> None:
        """Read the workspace again; what was read arrives as items."""

    def plan(self, action_id: str, subject: str = "") -> CommandPlan | None:
        """The plan for a mutating action now; None when there is nothing to do it to.

        ``subject`` names what it is done to, where that is one of many: an incident's id.
        """

    async def carry_out(self, plan: CommandPlan, permit: Permit) -> str:
        """Do it, detached. Returns one line that says what was done. Raises OperatorError."""
