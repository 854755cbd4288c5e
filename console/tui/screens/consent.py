"""The questions before a change: why this console is armed, and consent to a plan.

No reason, no arming; a word typed in full takes control over from another console. The choice below a plan
starts on no.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType

from console import keymap
from console.control.feed import CommandPlan
from console.control.lease import TAKE_OVER_WORD
from console.presentation.edge_lines import key_line
from console.presentation.pages import plan_lines
from console.presentation.spans import EMPTY, Line, Role, Span, fit, line, wrap_text
from console.tui.screens.base import bindings_for
from console.tui.screens.dialogue import Dialogue
from console.tui.screens.typed_dialogue import Field, TypedDialogue
from pipeline.contracts.untrusted import visible
from pipeline.platform.lock import Holder
from pipeline.reading.durations import age_in_words

_DIGITS = 4
_TYPED = frozenset("0123456789")


class ConsentDialogue(Dialogue[bool]):
    """Answers True only for the second choice, which has to be moved to first.

    A critical plan has no choice to move to: four digits of its hash are typed, one key after the
    other. A paste types nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("dialogue")

    def __init__(self, plan: CommandPlan) -> None:
        super().__init__()
        self.plan = plan
        self.heading = plan.title
        self.chosen_yes = False
        self.typed = ""
        self._wrong = False

    def body_lines(self, width: int) -> list[Line]:
        return [*plan_lines(self.plan, width), EMPTY, *self._choices(width), EMPTY, self._keys(width)]

    def _choices(self, width: int) -> list[Line]:
        if self.plan.critical:
            return self._question(width)
        return [
            self._choice(self.plan.no, not self.chosen_yes, width),
            self._choice(self.plan.yes, self.chosen_yes, width),
        ]

    def _question(self, width: int) -> list[Line]:
        """The code is shown here and nowhere else, so that it cannot be typed ahead."""
        field = f"[{self.typed.ljust(_DIGITS, '_')}]"
        role: Role = "strong" if self.typed else "text"
        lines = [
            fit(line(" Type ", Span(self.plan.code, "key"), f", enter: {self.plan.yes}"), width),
            fit(line(Span(f" Esc, or enter alone: {self.plan.no}", "dim")), width),
            fit(line(" ", Span(field, role)), width),
        ]
        if self._wrong:
            lines[-1] = fit(line(" ", Span(field, role), Span("  that is not its code", "warn")), width)
        return lines

    def on_key(self, event: events.Key) -> None:
        """Digits for the code; what else a key means is bound as everywhere."""
        if not self.plan.critical:
            return
        if event.key == "backspace":
            self.typed = self.typed[:-1]
        elif event.character is not None and event.character in _TYPED and len(self.typed) < _DIGITS:
            self.typed += event.character
        else:
            return
        self._wrong = False
        event.stop()
        self.draw()

    def _take(self) -> None:
        """Enter: yes for the code, no for an empty field, and for anything else try again."""
        if not self.plan.critical:
            self.dismiss(self.chosen_yes)
        elif self.typed in ("", self.plan.code):
            self.dismiss(self.typed == self.plan.code)
        else:
            self.typed, self._wrong = "", True
            self.draw()

    def _choice(self, words: str, marked: bool, width: int) -> Line:
        mark = Span(" ► " if marked else "   ", "cursor")
        return fit(line(mark, Span(words, "strong" if marked else "dim")), width)

    def _keys(self, width: int) -> Line:
        first = () if self.plan.critical else (("↑↓", "move"),)
        return key_line((*first, *keymap.hints("dialogue")), width)

    def action_act(self, action_id: str) -> None:
        match action_id:
            case "up" | "down" if not self.plan.critical:
                self.chosen_yes = action_id == "down"
                self.draw()
            case "choose":
                self._take()
            case "back":
                self.dismiss(False)
            case "copy.command":
                self.console.copy(self.plan.command_line, "the command")
                self.dismiss(False)
            case _:
                pass  # keys of other dialogues mean nothing here


class ArmDialogue(TypedDialogue[str]):
    """Answers with the reason; an empty one means that nothing changes."""

    heading = "ARM THIS CONSOLE"

    def __init__(self) -> None:
        super().__init__((Field("reason"),), at=0)

    def above(self, width: int) -> list[Line]:
        return [
            line(" For 15 minutes this console may start and cancel runs."),
            line(Span(" Each of them shows its plan and asks. a again disarms.", "dim")),
            EMPTY,
            line(Span(" Why? Enter arms, the reason goes to the log; Esc: no.", "dim")),
        ]

    def entered(self, field: Field) -> None:
        self.dismiss(field.text.strip())

    def refused(self) -> None:
        self.dismiss("")


class TakeOverDialogue(TypedDialogue[bool]):
    """Answers True only when the word was typed in full."""

    heading = "ANOTHER CONSOLE IS ARMED"

    def __init__(self, holder: Holder) -> None:
        super().__init__((Field("word"),), at=0)
        self._holder = holder

    def above(self, width: int) -> list[Line]:
        holder = self._holder
        at = holder.since_seconds
        since = "" if at is None else f", since {age_in_words(self.console.now() - at)}"
        who = f"{holder.user or 'somebody'} on {holder.host or 'an unknown host'}, pid {holder.pid or '?'}"
        told: tuple[tuple[str, Role], ...] = (
            (visible(f"{who}{since}", 200), "strong"),
            ("Two hands on one workspace undo each other. Ask first, if you can.", "text"),
            ("Taking over makes that console read-only at once, and is written down.", "dim"),
        )
        return [
            *(line(Span(f" {part}", role)) for text, role in told for part in wrap_text(text, width - 2)),
            EMPTY,
            line(f" Type {TAKE_OVER_WORD} to take control over.", Span("  esc changes nothing", "dim")),
        ]

    def entered(self, field: Field) -> None:
        self.dismiss(field.text.strip() == TAKE_OVER_WORD)

    def refused(self) -> None:
        self.dismiss(False)
