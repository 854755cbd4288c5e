"""What screens and dialogues may ask of the app that they stand in: they know this, never the app."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from console.control.changes import Face

if TYPE_CHECKING:
    from console.control.armed import Armed
    from console.control.changes import Operations
    from console.state.view_state import ViewState


class Asks(Protocol):
    """The dialogues before a change."""

    def ask_for(self, action_id: str, subject: str = "") -> None: ...


class Host(Face, Protocol):
    """``now`` is the time on the wall, ``monotonic`` counts seconds."""

    state: ViewState
    armed: Armed
    operations: Operations
    now: Callable[[], float]
    monotonic: Callable[[], float]

    @property
    def changes(self) -> Asks: ...

    @property
    def notice(self) -> str:
        """What was just said to the operator; empty when that is a while ago."""

    def run_worker(self, work: Coroutine[Any, Any, None], *, name: str, exit_on_error: bool) -> object:
        """Do something while keys go on working; what it raises is told."""

    def read_again(self) -> None:
        """Read the workspace and ask the detectors now, whatever their budget says."""

    def write_to_terminal(self, sequence: str) -> None:
        """Send what the terminal obeys and does not show."""

    def act(self, action_id: str) -> None:
        """Perform an action of the key map."""

    def say(self, text: str, level: str = "info") -> None:
        """Tell the operator one line, on the status line and in the log."""

    def open(self, name: str, *arguments: object, then: Callable[[Any], None] | None = None) -> None:
        """Show a screen of the registry on top of this one; ``then`` gets what a dialogue answers."""

    def open_wizard(self, symptom_id: str | None, incident_id: str | None = None) -> None:
        """The wizard of an incident, or that of a symptom, in its open incident where there is one."""

    def drop_keys_so_far(self) -> None:
        """A dialogue was answered: nothing that was typed until now is for what lies below it."""

    def copy(self, text: str, what: str) -> None:
        """Put ``text`` on the operator's clipboard."""
