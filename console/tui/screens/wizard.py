"""The wizard of a symptom, or an incident re-opened: one question at a time, beside its evidence.

The screen only shows and asks. What it knows it has from ``wizard_control``, which reads the
journal; what it does goes there with a permit. Both run in threads, and what changes files runs
in a process of its own, so leaving this screen, or losing it, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from console import keymap
from console.control.armed import Permit, ReadOnlyError
from console.tui.screens.wizard_page import WizardPage

if TYPE_CHECKING:
    from console.control.wizard_view import Choice
    from console.tui.screens.consent import Agreed


class WizardScreen(WizardPage):
    def handlers(self) -> dict[str, Callable[[], None]]:
        page = max(1, self._room - 1)
        return {
            **super().handlers(),
            "up": lambda: self._step(-1),
            "down": lambda: self._step(1),
            "page_up": lambda: self.scroll_lines(-page),
            "page_down": lambda: self.scroll_lines(page),
            "unfold": self._unfold,
            "refresh": self._refresh,
            "back": self.leave,
            "wizard.open": lambda: None,
            "symptom.help": self._by_hand,
            keymap.WIZARD_ANSWER: self._take_marked,
        }

    def _step(self, items: int) -> None:
        """Move the mark; where there is nothing to answer, scroll."""
        answers = self.answers()
        if len(answers) < 2:
            self.scroll_lines(items)
            return
        self._marked = max(0, min(len(answers) - 1, self._marked + items))
        self._said = None
        self.draw()

    def _take_marked(self) -> None:
        answers = self.answers()
        if answers:
            self.take(answers[min(self._marked, len(answers) - 1)])

    def take(self, choice: Choice) -> None:
        from console.control.wizard_view import Deed

        match choice.deed:
            case Deed.LEAVE:
                self.leave()
            case Deed.LOOK:
                self._look_deeper()
            case Deed.ELSEWHERE:
                self.app.push_screen(WizardScreen(choice.value))
            case Deed.CONSENT:
                self._ask_for_consent()
            case Deed.TYPE:
                self._ask_for_words()
            case _:
                self._do_now(choice)

    def _permit(self) -> Permit | None:
        """None when read-only, which is said."""
        try:
            return self.console.operations.permit(keymap.WIZARD_ANSWER)
        except ReadOnlyError:
            self.console.say(
                "read-only: the wizard looks and changes nothing; a arms this console", "warning"
            )
            return None

    def _do_now(self, choice: Choice) -> None:
        from console.control.wizard_view import Deed

        permit, control, view = self._permit(), self._control, self._view
        if permit is None or control is None or view is None:
            return
        question = view.question
        if choice.deed is Deed.GO_ON:
            self._begin("continuing", lambda: control.go_on(permit))
        elif choice.deed is Deed.PLAN_AGAIN:
            self._begin("planning again", control.driver(permit).plan_again)
        elif choice.deed is Deed.TAKE_BACK:
            self._begin("planning and rehearsing the undo", control.driver(permit).take_back)
        elif question is not None:
            asked = question.id
            contains = any(offer.immediate and offer.id == choice.value for offer in view.offers)
            self._begin(
                "planning; no file is changed",
                lambda: control.driver(permit).answer(asked, choice.value),
                then=self._ask_for_consent if contains and view.is_critical else self._ask_at_once,
            )

    def _ask_at_once(self) -> None:
        """A question that only words answer: there is nothing to choose first."""
        from console.control.wizard_view import Deed

        if [choice.deed for choice in self.answers()[1:]] == [Deed.TYPE]:
            self._ask_for_words()

    # Consent and typed answers

    def _ask_for_consent(self) -> None:
        from console.presentation.consent import wizard_consent
        from console.tui.screens.consent import ConsentDialogue

        view = self._view
        if view is None or view.preview is None or view.preview.is_trial or view.void:
            return
        permit = self._permit()
        if permit is not None:
            consent = wizard_consent(view, self.command_to_copy() or "", permit.reason)
            named = view.preview.plan.hash
            self.app.push_screen(ConsentDialogue(consent), lambda agreed: self._consented(named, agreed))

    def _consented(self, plan_hash: str, answer: Agreed | None) -> None:
        control, view = self._control, self._view
        if answer is None or control is None or view is None:
            self.console.say("nothing was changed")
            return
        permit = self._permit()
        if permit is not None:
            self.console.say("agreed: runs detached; safe to leave")
            self._begin(
                "recording the consent",
                lambda: control.consent(permit, plan_hash, answer.code or plan_hash, answer.reason),
            )

    def _ask_for_words(self) -> None:
        from console.tui.screens.wizard_dialogues import WizardAnswer

        question = self._view.question if self._view is not None else None
        if question is not None and self._permit() is not None:
            asked = question.id
            self.app.push_screen(WizardAnswer(question), lambda words: self._typed(asked, words))

    def _typed(self, question_id: str, words: str | None) -> None:
        control = self._control
        if not words or control is None:
            self.console.say("nothing was changed")
            return
        permit = self._permit()
        if permit is not None:
            self._begin(
                "planning; no file is changed",
                lambda: control.driver(permit).answer(question_id, words),
                then=self._ask_at_once,
            )

    # Leaving

    def leave(self) -> None:
        """Back, changing nothing. What is at work goes on, and the incident stays where it is."""
        if self._view is not None and self._fault is None:
            from console.presentation.wizard_question import leaving_words

            self.console.say(leaving_words(self._view))
        self.console.act("back")

    def _by_hand(self) -> None:
        """The page of the symptom: its commands work while the runbook does not."""
        wanted = (self._view.symptom_id if self._view else None) or self._symptom_id
        if wanted:
            self.console.open("symptom", wanted)
        else:
            self.console.say("this incident has no symptom: c copies the command that shows its record")
