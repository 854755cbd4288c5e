"""The questions before a change: why this console is armed, and consent to a plan.

No reason, no arming; a word typed in full takes control over from another console. The choice below a plan
starts on no.
"""

from __future__ import annotations

from typing import NamedTuple

from console import keymap
from console.control.lease import TAKE_OVER_WORD
from console.presentation.consent import Consent, told_lines
from console.presentation.edge_lines import key_line
from console.presentation.spans import EMPTY, Line, Role, Span, line, wrap_text
from console.tui.screens.typed_dialogue import NOWHERE, Field, TypedDialogue
from pipeline.contracts.untrusted import visible
from pipeline.platform.lock import Holder
from pipeline.reading.durations import age_in_words


class Agreed(NamedTuple):
    """What was typed: the code, empty where none is asked for, and the reason."""

    code: str
    reason: str


class ConsentDialogue(TypedDialogue[Agreed]):
    """The one form of consent: it starts on no, and enter alone agrees to nothing.

    Where it cannot be undone, four digits that only this plan has are typed, so that they cannot be a
    habit or have been typed ahead; a digit goes to their field by itself. Beside digits the reason of arming
    is offered; without them the reason that is typed is the consent.
    """

    heading = "CONSENT"
    hints = ()

    def __init__(self, consent: Consent) -> None:
        self.consent = consent
        self._code = Field("yes: code", most=4, digits=True)
        offered = consent.reason if consent.code else ""
        self._reason = Field(
            "reason" if consent.code else "yes: reason", text=offered, is_offered=bool(offered)
        )
        self._wrong = ""
        fields = [self._code] if consent.code else []
        fields += [self._reason] if consent.wants_reason else []
        super().__init__(tuple(fields) or (Field(consent.yes, most=0),), no=consent.no)

    def told_lines(self, width: int) -> list[Line]:
        return told_lines(self.consent, width)

    def above(self, width: int) -> list[Line]:
        """What is asked for; the code is shown here and nowhere else, so that it is not typed ahead."""
        asked = self.consent.asks
        if not self.consent.code:
            words = line(Span(f" {asked}", "dim"))
        else:
            before, code, after = asked.partition(self.consent.code)
            words = line(Span(f" {before}", "dim"), Span(f" {code} ", "badge"), Span(after, "dim"))
        told = line(Span(f"  {self._wrong}", "fail")) if self._wrong else EMPTY
        return [EMPTY, *([line(*words, *told)] if asked else [])]

    def body_lines(self, width: int) -> list[Line]:
        hints = [("down", "yes"), *([("pgdn", "read on")] if self.scrolls else []), *keymap.hints("dialogue")]
        return [*super().body_lines(width), EMPTY, key_line(hints, width)]

    def field_for(self, character: str) -> int:
        return 0 if self.consent.code and character.isdecimal() else NOWHERE

    def entered(self, field: Field) -> None:
        code, reason = self._code.text, self._reason.text.strip()
        self._wrong = ""
        if code != self.consent.code:
            self._wrong = "Wrong code; nothing was changed." if code else ""
            self._code.text = ""
            self.go_to(0)
        elif field is self._code and self.consent.wants_reason:
            self.go_to(1)
        elif self.consent.wants_reason and not reason:
            self._wrong = "A reason is needed; nothing was changed."
        else:
            self.dismiss(Agreed(code, reason))

    def refused(self) -> None:
        self.dismiss(None)

    def copied(self) -> None:
        self.console.copy(self.consent.command, "the command")
        self.dismiss(None)


class ArmDialogue(TypedDialogue[str]):
    """Answers with the reason; enter without one asks again. Empty: nothing changes."""

    heading = "ARM THIS CONSOLE"
    hints = (("enter", "arm"), ("esc", "back"))

    def __init__(self) -> None:
        super().__init__((Field("reason"),), at=0)
        self._wrong = ""

    def above(self, width: int) -> list[Line]:
        return [
            line(" For 15 minutes this console may start and cancel runs."),
            line(Span(" Each one shows its plan and asks first. Press a again to disarm.", "dim")),
            EMPTY,
            line(Span(" Why? The reason goes to the log.", "dim"), Span(f"  {self._wrong}", "fail")),
        ]

    def entered(self, field: Field) -> None:
        if reason := field.text.strip():
            self.dismiss(reason)
        else:
            self._wrong = "A reason is needed."

    def refused(self) -> None:
        self.dismiss("")


class TakeOverDialogue(TypedDialogue[bool]):
    """Answers True only when the word was typed in full; another word asks again, none is no."""

    heading = "ANOTHER CONSOLE IS ARMED"
    hints = (("enter", "take over"), ("esc", "back"))

    def __init__(self, holder: Holder) -> None:
        super().__init__((Field("word"),), at=0)
        self._holder = holder
        self._wrong = ""

    def above(self, width: int) -> list[Line]:
        holder = self._holder
        at = holder.since_seconds
        since = "" if at is None else f", since {age_in_words(self.console.now() - at)}"
        who = f"{holder.user or 'somebody'} on {holder.host or 'an unknown host'}, pid {holder.pid or '?'}"
        told: tuple[tuple[str, Role], ...] = (
            (visible(f"{who}{since}", 200), "strong"),
            (
                "Two consoles that change one workspace undo each other's work. Ask that operator first.",
                "text",
            ),
            ("Taking over makes that console read-only at once. The log records it.", "dim"),
        )
        return [
            *(line(Span(f" {part}", role)) for text, role in told for part in wrap_text(text, width - 2)),
            EMPTY,
            line(f" Type {TAKE_OVER_WORD} to take control over.", Span(f"  {self._wrong}", "fail")),
        ]

    def entered(self, field: Field) -> None:
        word = field.text.strip()
        if word in ("", TAKE_OVER_WORD):
            self.dismiss(bool(word))
        else:
            self._wrong = "Not that word; nothing was changed."
            field.text = ""

    def refused(self) -> None:
        self.dismiss(False)
