"""What a wizard's screen knows and draws; what it does is ``screens.wizard``'s."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from console import keymap
from console.control.look_fault import runbook_fault
from console.live.daemon_work import in_thread
from console.presentation.fault import fault_lines
from console.presentation.spans import EMPTY, Line, Span, line, wrap_text
from console.tui.screens.page import Page
from pipeline.contracts.faults import Fault
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, lasting_in_words

if TYPE_CHECKING:
    from console.control.wizard_control import WizardControl
    from console.control.wizard_view import Choice, WizardView

# The runbook is imported in a thread, when a wizard is first opened: it takes a while, and where it
# cannot be imported this screen says so. Whatever needs it is imported after that, inside functions.

LOOK_SECONDS = 0.5
_LEAST_LINES = 3


class WizardPage(Page):
    """Subclasses answer."""

    place = "wizard"
    silent: ClassVar[tuple[str, ...]] = ("wizard.open",)
    first_hints: ClassVar[tuple[str, ...]] = ("answer", "back", "arm", "copy command", "copy", "unfold")

    def __init__(self, symptom_id: str | None = None, *, incident_id: str | None = None) -> None:
        super().__init__()
        self._symptom_id = symptom_id
        self._incident_id = incident_id
        self._control: WizardControl | None = None
        self._view: WizardView | None = None
        self._fault: Fault | None = None
        self._said: Fault | None = None
        self._busy = ""
        self._busy_since = 0.0
        self._opened_at = 0.0
        self._looking = False
        self._one_look = asyncio.Lock()
        self._marked = 0
        self._unfolded = self._folds = False
        self._room = 1

    @classmethod
    def reopen(cls, incident_id: str) -> Self:
        """The wizard of an incident, where it was left."""
        return cls(incident_id=incident_id)

    # Looking

    def on_mount(self) -> None:
        self._opened_at = self.console.now()
        self.look_again()
        self.set_interval(LOOK_SECONDS, self.look_again)

    def look_again(self) -> None:
        if not self._looking and self._fault is None:
            self._looking = True
            self.run_worker(self._look(), name="wizard", exit_on_error=False)

    async def _look(self) -> None:
        # One after the other: a slow look that began earlier must not end on what was seen later.
        async with self._one_look:
            await self._look_now()
        if self.is_current:
            self.draw()
        self._look_for_cause()

    async def _look_now(self) -> None:
        try:
            root = Path(self.console.state.workspace)
            control = self._control
            if control is None:
                control = await in_thread(lambda: open_control(root, self._symptom_id, self._incident_id))
                self._control = control
            if not self.console.armed.is_armed and not self._busy:
                await in_thread(control.let_go)
            before, now = self._view, await in_thread(control.look)
            self._view = now
            if before is not None and _asked(before) != _asked(now):
                self._marked = self.first_line = 0
            if before is not None and before.is_applying and not now.is_applying:
                self.console.read_again()  # or what was repaired would stand on the dashboard for a while
        except Exception as error:  # noqa: BLE001 (whatever is wrong, the operator is told, and can go back)
            self._fault = runbook_fault(error)
        finally:
            self._looking = False

    def _look_for_cause(self) -> None:
        """Where nothing has to be contained first, the cause is looked for at once; nothing is written."""
        from console.control.wizard_view import Deed

        if self._view is None or self._view.incident_id is not None or self._busy:
            return
        if [choice.deed for choice in self.answers()][1:2] == [Deed.LOOK] and self._view.question is None:
            self._look_deeper()

    def _look_deeper(self) -> None:
        control = self._control
        if control is not None:
            self._begin("finding the cause; nothing is written", control.look_for_cause)

    # Drawing

    def trail(self) -> tuple[str, ...]:
        incident = (self._view.incident_id if self._view else None) or self._incident_id
        return ("Runbook", incident or self._symptom_id or "wizard")

    def page_lines(self, width: int) -> list[Line]:
        self._folds = False
        if self._fault is not None:
            return [EMPTY, *fault_lines(self._fault, width)]
        if self._view is None:
            return self._waiting_lines(width)
        folded = self._body_lines(self._view, width, unfolded=False)
        whole = self._body_lines(self._view, width, unfolded=True)
        # Where there is room for all of it, nothing has to be asked for.
        self._folds = folded != whole and len(whole) > self._room
        return folded if self._folds and not self._unfolded else whole

    def idle(self) -> tuple[str, ...]:
        """Where nothing is asked there is nothing to answer; where nothing is folded, nothing to unfold."""
        answer = () if self.answers() else (keymap.WIZARD_ANSWER,)
        return answer if self._folds else (*answer, "unfold")

    def _body_lines(self, view: WizardView, width: int, *, unfolded: bool) -> list[Line]:
        from console.presentation.wizard import body_lines

        return body_lines(view, self.console.state.run, self.console.now(), width, unfolded=unfolded)

    def _still_running(self) -> str:
        """An engine outlives the worker that started it, and keeps everybody else out."""
        lock = self.console.state.lock
        if not lock.held:
            return ""
        return f"{lock.command} is still running (pid {lock.pid}): wait for it, then continue."

    def _waiting_lines(self, width: int) -> list[Line]:
        """Until the detector has answered: what the console's own watch knows of the symptom."""
        known = next((each for each in self.console.state.symptoms if each.id == self._symptom_id), None)
        lasted = lasting_in_words(self.console.now() - self._opened_at)
        said = f" » re-running the detector for {lasted} · safe to leave with esc"
        lines: list[Line] = [EMPTY, line(Span(said, "accent"))]
        if known is not None:
            age = age_in_words(age_of(known.origin.as_of, self.console.now()))
            lines += [EMPTY, line(" ", Span(visible(known.id), "strong"), Span(f"  read {age} ago", "dim"))]
            lines += [line(f" {part}") for part in wrap_text(visible(known.observed), width - 3)]
        return [*lines, EMPTY, line(" ", Span("b", "key"), Span("  the commands to run by hand", "dim"))]

    def draw(self) -> None:
        width, height = self._body.size
        if not width:
            return
        head, foot = self._head(width), self._foot(width, height)
        if len(head) + len(foot) + _LEAST_LINES > height:
            head = []
        room = self._room = max(0, height - len(head) - len(foot))
        lines = self.page_lines(width)
        self._count = len(lines)
        self.first_line = max(0, min(self.first_line, len(lines) - room))
        shown = lines[self.first_line : self.first_line + room]
        self._body.show([*head, *shown, *[EMPTY] * (room - len(shown)), *foot][:height])
        below = len(lines) - self.first_line - len(shown)
        above = f"↑ {self.first_line} more" if self.first_line else ""
        self.draw_edges(f"↓ {below} more" if below > 0 else above)

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
        note = self._still_running() if self._view.is_cut_off else ""
        if self._busy:
            note = self._how_far()
        asked = question_lines(self._view, answers, marked, self._busy, width, most, armed=armed, note=note)
        return [*said, *asked][-height:]

    def _how_far(self) -> str:
        """What it is at, for how long, and that nobody has to stay for it."""
        at = self._control.progress if self._control is not None else ""
        lasted = lasting_in_words(self.console.now() - self._busy_since)
        return " · ".join(filter(None, (at, f"running for {lasted}", "safe to leave with esc")))

    def answers(self) -> tuple[Choice, ...]:
        """What can be answered now, the harmless answer first."""
        if self._view is None or self._busy:
            return ()
        from console.control.wizard_view import choices

        return choices(self._view)

    # Reading on

    def scroll_lines(self, lines: int) -> None:
        self.first_line = max(0, min(self.first_line + lines, self._count - self._room))
        self.draw()

    def _unfold(self) -> None:
        self._unfolded = not self._unfolded
        self.draw()

    def _refresh(self) -> None:
        control = self._control
        self._said = self._fault = None
        if control is not None and not self._busy:
            self._begin("looking again", control.look_anew)
        else:
            self.look_again()
        self.console.act("refresh")

    # Work in a thread

    def _begin(self, words: str, work: Callable[[], None], *, then: Callable[[], None] | None = None) -> None:
        """Do it in a thread; what it raises is shown above the question. Nothing is asked meanwhile."""
        self._busy, self._said = words, None
        self._busy_since = self.console.now()
        if self._control is not None:
            self._control.progress = ""
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

    def on_unmount(self) -> None:
        if not self._busy:
            self._let_go()

    def _let_go(self) -> None:
        """Others may act on the incident; what this waits for is a small file on a slow disk."""
        control = self._control
        if control is not None:
            threading.Thread(target=control.let_go, name="let go", daemon=True).start()

    # Copying

    def text_to_copy(self) -> str | None:
        """The plan's hash, before that the incident or the symptom; in the end the line that commits."""
        view = self._view
        if view is None:
            return self._incident_id or self._symptom_id
        if view.to_commit:
            return self.command_to_copy()
        if view.preview is not None and not view.preview.is_trial:
            return view.preview.plan.hash
        return view.incident_id or view.symptom_id

    def command_to_copy(self) -> str | None:
        """The command line that would do what is asked for here."""
        if self._view is None:
            return None
        from console.presentation.wizard_question import command_line

        return command_line(self._view, self.console.state.workspace, self.console.state.session.actor)


def open_control(root: Path, symptom_id: str | None, incident_id: str | None) -> WizardControl:
    """Imports the runbook, which may take a second and may fail in any way."""
    from console.control.wizard_control import WizardControl
    from runbook.symptoms import SYMPTOMS

    return WizardControl(root, SYMPTOMS, symptom_id=symptom_id, incident_id=incident_id)


def _asked(view: WizardView) -> tuple[object, ...]:
    """What the mark belongs to: another question starts on its harmless answer again."""
    question = view.question
    return (question.id if question else view.move, view.incident_id, bool(view.void), view.is_applying)
