"""The wizard of a symptom, or an incident re-opened: one question at a time, beside its evidence.

The screen only shows and asks. What it knows it has from ``wizard_desk``, which reads the
journal; what it does goes there with a permit. Both run in threads, and what changes files runs
in a process of its own, so leaving this screen, or losing it, changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from textual.binding import BindingType

from console import keymap
from console.armed import Permit, ReadOnlyError
from console.daemon_work import in_thread
from console.presentation.edge_lines import breadcrumb_line, key_line, status_line
from console.presentation.spans import EMPTY, Line, Span, line, wrap_text
from console.runbook_fault import runbook_fault
from console.screens.base import bindings_for
from console.screens.page import Page
from pipeline.contracts.faults import Fault

if TYPE_CHECKING:
    from console.screens.wizard_consent import Agreed
    from console.wizard_desk import WizardDesk
    from console.wizard_view import Choice, WizardView

# The runbook is imported in a thread, when a wizard is first opened: it takes a while, and where it
# cannot be imported this screen says so. Whatever needs it is imported after that, inside functions.

LOOK_SECONDS = 0.5
_LEAST_LINES = 3


class WizardScreen(Page):
    place = "wizard"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("wizard")
    silent: ClassVar[tuple[str, ...]] = ("wizard.open",)
    first_hints: ClassVar[tuple[str, ...]] = ("answer", "back", "arm", "copy command", "copy", "unfold")

    def __init__(self, symptom_id: str | None = None, *, incident_id: str | None = None) -> None:
        super().__init__()
        self._symptom_id = symptom_id
        self._incident_id = incident_id
        self._desk: WizardDesk | None = None
        self._view: WizardView | None = None
        self._fault: Fault | None = None
        self._said: Fault | None = None
        self._busy = ""
        self._looking = False
        self._marked = 0
        self._unfolded = False
        self._room = 1

    @classmethod
    def reopen(cls, incident_id: str) -> Self:
        """The wizard of an incident, where it was left."""
        return cls(incident_id=incident_id)

    # Looking

    def on_mount(self) -> None:
        self.look_again()
        self.set_interval(LOOK_SECONDS, self.look_again)

    def look_again(self) -> None:
        if not self._looking and self._fault is None:
            self._looking = True
            self.run_worker(self._look(), name="wizard", exit_on_error=False)

    async def _look(self) -> None:
        try:
            root = Path(self.console.state.workspace)
            desk = self._desk
            if desk is None:
                desk = await in_thread(lambda: open_desk(root, self._symptom_id, self._incident_id))
                self._desk = desk
            if not self.console.armed.is_armed and not self._busy:
                await in_thread(desk.let_go)
            before, now = self._view, await in_thread(desk.look)
            self._view = now
            if before is not None and _asked(before) != _asked(now):
                self._marked = self.first_line = 0
        except Exception as error:  # noqa: BLE001 (whatever is wrong, the operator is told, and can go back)
            self._fault = runbook_fault(error)
        finally:
            self._looking = False
        self._draw_if_on_top()
        self._look_for_cause()

    def _look_for_cause(self) -> None:
        """Where nothing has to be contained first, the cause is looked for at once; nothing is written."""
        from console.wizard_view import Deed

        if self._view is None or self._view.incident_id is not None or self._busy:
            return
        if [choice.deed for choice in self.answers()][1:2] == [Deed.LOOK] and self._view.question is None:
            self._look_deeper()

    def _look_deeper(self) -> None:
        desk = self._desk
        if desk is not None:
            self._begin("looking for the cause; nothing is written", desk.look_for_cause)

    def _draw_if_on_top(self) -> None:
        if self.is_current:
            self.draw()

    # Drawing

    def trail(self) -> tuple[str, ...]:
        incident = (self._view.incident_id if self._view else None) or self._incident_id
        return ("Runbook", incident or self._symptom_id or "wizard")

    def page_lines(self, width: int) -> list[Line]:
        if self._fault is not None:
            return [EMPTY, *fault_lines(self._fault, width)]
        if self._view is None:
            return [EMPTY, line(Span(" ? looking", "dim"))]
        from console.presentation.wizard import body_lines

        run = self.console.state.run
        return body_lines(self._view, run, self.console.now(), width, unfolded=self._unfolded)

    def draw(self) -> None:
        width, height = self._body.size
        if not width:
            return
        head, foot = self._head(width), self._foot(width, height)
        if len(head) + len(foot) + _LEAST_LINES > height:
            head = []
        room = max(0, height - len(head) - len(foot))
        lines = self.page_lines(width)
        self._count, self._room = len(lines), room
        self.first_line = max(0, min(self.first_line, len(lines) - room))
        shown = lines[self.first_line : self.first_line + room]
        self._body.show([*head, *shown, *[EMPTY] * (room - len(shown)), *foot][:height])
        below = len(lines) - self.first_line - len(shown)
        place = f"↓{below}" if below > 0 else (f"↑{self.first_line}" if self.first_line else "")
        state = self.console.state
        self._crumbs.show([breadcrumb_line(state, self.trail(), place, width)])
        self._status.show([status_line(state, self.console.now(), width, self.console.notice)])
        self._keys.show([key_line(self.hints(), width)])

    def _head(self, width: int) -> list[Line]:
        if self._view is None or self._fault is not None:
            return []
        from console.presentation.wizard import head_lines

        return head_lines(self._view, self.console.now(), width)

    def _foot(self, width: int, height: int) -> list[Line]:
        """What went wrong, and the question: they take what they need, up to two thirds."""
        if self._view is None or self._fault is not None:
            return []
        from console.presentation.wizard_question import question_lines

        said = fault_lines(self._said, width) if self._said is not None else []
        most = max(2, height * 2 // 3 - len(said))
        answers, marked, armed = self.answers(), self._marked, self.console.armed.is_armed
        asked = question_lines(self._view, answers, marked, self._busy, width, most, armed=armed)
        return [*said, *asked][-height:]

    # Answering

    def answers(self) -> tuple[Choice, ...]:
        """What can be answered now, the harmless answer first."""
        if self._view is None or self._busy:
            return ()
        from console.wizard_view import choices

        return choices(self._view)

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

    def scroll_lines(self, lines: int) -> None:
        self.first_line = max(0, min(self.first_line + lines, self._count - self._room))
        self.draw()

    def _step(self, items: int) -> None:
        """Move the mark; where there is nothing to answer, scroll."""
        answers = self.answers()
        if len(answers) < 2:
            self.scroll_lines(items)
            return
        self._marked = max(0, min(len(answers) - 1, self._marked + items))
        self._said = None
        self.draw()

    def _unfold(self) -> None:
        self._unfolded = not self._unfolded
        self.draw()

    def _refresh(self) -> None:
        desk = self._desk
        self._said = self._fault = None
        if desk is not None and not self._busy:
            self._begin("looking again", desk.look_anew)
        else:
            self.look_again()
        self.console.act("refresh")

    def _take_marked(self) -> None:
        answers = self.answers()
        if answers:
            self.take(answers[min(self._marked, len(answers) - 1)])

    def take(self, choice: Choice) -> None:
        from console.wizard_view import Deed

        match choice.deed:
            case Deed.LEAVE:
                self.leave()
            case Deed.LOOK:
                self._look_deeper()
            case Deed.ELSEWHERE:
                self.console.push_screen(WizardScreen(choice.value))
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
        from console.wizard_view import Deed

        permit, desk, view = self._permit(), self._desk, self._view
        if permit is None or desk is None or view is None:
            return
        question = view.question
        if choice.deed is Deed.GO_ON:
            self._begin("going on", lambda: desk.go_on(permit))
        elif choice.deed is Deed.PLAN_AGAIN:
            self._begin("planning again", lambda: desk.plan_again(permit))
        elif choice.deed is Deed.TAKE_BACK:
            self._begin("planning the way back, and rehearsing it", lambda: desk.take_back(permit))
        elif question is not None:
            asked = question.id
            contains = any(offer.immediate and offer.id == choice.value for offer in view.offers)
            self._begin(
                "working it out; no file is changed",
                lambda: desk.answer(permit, asked, choice.value),
                then=self._ask_for_consent if contains and view.is_critical else None,
            )

    def _begin(self, words: str, work: Callable[[], None], *, then: Callable[[], None] | None = None) -> None:
        """Do it in a thread; what it raises is shown above the question. Nothing is asked meanwhile."""
        self._busy, self._said = words, None
        self.run_worker(self._do(work, then), name="wizard deed", exit_on_error=False)
        self.draw()

    async def _do(self, work: Callable[[], None], then: Callable[[], None] | None) -> None:
        try:
            await in_thread(work)
        except Exception as error:  # noqa: BLE001 (told in three lines; the question is asked again)
            self._said = runbook_fault(error)
        finally:
            self._busy = ""
        if not self.is_attached:
            self._let_go()
            return
        await self._look()
        if then is not None and self._said is None and self.is_current:
            then()

    # Consent and typed answers

    def _ask_for_consent(self) -> None:
        from console.screens.wizard_consent import WizardConsent

        view = self._view
        if view is None or view.preview is None or view.preview.is_trial or view.void:
            return
        if self._permit() is not None:
            self.console.push_screen(WizardConsent(view), self._consented)

    def _consented(self, answer: Agreed | None) -> None:
        desk, view = self._desk, self._view
        if answer is None or desk is None or view is None:
            self.console.say("nothing was changed")
            return
        permit = self._permit()
        if permit is not None:
            self.console.say("agreed; it is carried out by a process of its own")
            self._begin(
                "writing the consent down",
                lambda: desk.consent(permit, answer.plan_hash, answer.typed, answer.reason),
            )

    def _ask_for_words(self) -> None:
        from console.screens.wizard_answer import WizardAnswer

        question = self._view.question if self._view is not None else None
        if question is not None and self._permit() is not None:
            asked = question.id
            self.console.push_screen(WizardAnswer(question), lambda words: self._typed(asked, words))

    def _typed(self, question_id: str, words: str | None) -> None:
        desk = self._desk
        if not words or desk is None:
            self.console.say("nothing was changed")
            return
        permit = self._permit()
        if permit is not None:
            self._begin("working it out; no file is changed", lambda: desk.answer(permit, question_id, words))

    # Leaving

    def leave(self) -> None:
        """Back, changing nothing. What is at work goes on, and the incident stays where it is."""
        if self._view is not None and self._fault is None:
            from console.presentation.wizard_question import leaving_words

            self.console.say(leaving_words(self._view))
        self.console.act("back")

    def on_unmount(self) -> None:
        if not self._busy:
            self._let_go()

    def _let_go(self) -> None:
        """Others may act on the incident; what this waits for is a small file on a slow disk."""
        desk = self._desk
        if desk is not None:
            threading.Thread(target=desk.let_go, name="let go", daemon=True).start()

    def _by_hand(self) -> None:
        """The page of the symptom: its commands work while the runbook does not."""
        wanted = (self._view.symptom_id if self._view else None) or self._symptom_id
        if wanted:
            self.console.open_symptom(wanted)
        else:
            self.console.say("this incident has no symptom: c copies the command that shows its record")

    # Copying

    def text_to_copy(self) -> str | None:
        """The plan's hash; before there is one, the incident or the symptom."""
        view = self._view
        if view is None:
            return self._incident_id or self._symptom_id
        if view.preview is not None and not view.preview.is_trial:
            return view.preview.plan.hash
        return view.incident_id or view.symptom_id

    def command_to_copy(self) -> str | None:
        """The command line that would do what is asked for here."""
        if self._view is None:
            return None
        from console.presentation.wizard_question import command_line

        return command_line(self._view, self.console.state.workspace, self.console.state.session.actor)


def open_desk(root: Path, symptom_id: str | None, incident_id: str | None) -> WizardDesk:
    """Imports the runbook, which may take a second and may fail in any way."""
    from console.wizard_desk import WizardDesk
    from runbook.symptoms import SYMPTOMS

    return WizardDesk(root, SYMPTOMS, symptom_id=symptom_id, incident_id=incident_id)


def _asked(view: WizardView) -> tuple[object, ...]:
    """What the mark belongs to: another question starts on its harmless answer again."""
    question = view.question
    return (question.id if question else view.move, view.incident_id, bool(view.void), view.is_applying)


def fault_lines(fault: Fault, width: int) -> list[Line]:
    """What went wrong, what was kept safe, what to do: three lines, longer ones wrapped."""
    lines: list[Line] = []
    for text in fault.as_lines():
        label, rest = text[:15], text[15:]
        first, *more = wrap_text(rest, max(16, width - 18))
        lines.append(line(" ", Span(label, "dim"), first))
        lines += [line(" " * 16, part) for part in more]
    return lines
