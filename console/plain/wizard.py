"""The wizards at the plain console: the runbook's own prompts, under this console's arming.

Looking shows what the screen shows and writes nothing. Armed, the same questions are asked, and
the same digits are typed; when arming ends in between, the input ends for the wizard, which
leaves the incident open where it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.presentation.spans import plain_text
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.untrusted import visible
from pipeline.platform.voice import Voice

if TYPE_CHECKING:
    from console.control.armed import Permit
    from console.control.wizard_control import WizardControl
    from console.control.wizard_view import WizardView
    from pipeline.contracts.status import SymptomStatus
    from runbook.symptom import Symptom

WIDTH = 79


@dataclass(frozen=True)
class Subject:
    """A wizard that can be opened: of a symptom that shows, or of an incident that is still open."""

    words: str
    symptom_id: str | None = None
    incident_id: str | None = None


class Aloud(Voice):
    """A voice with one place for data and narration: a line of the plain console."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def out(self, text: str) -> None:
        self._say(text)

    def note(self, text: str) -> None:
        self._say(text)


@dataclass(frozen=True)
class PlainWizards:
    """``out`` writes a line, ``ask`` waits for one (None at the end of input), both from any thread.

    ``permit`` is asked before each answer: None when this console is read-only.
    """

    root: Path
    out: Callable[[str], None]
    ask: Callable[[], str | None]
    permit: Callable[[], Permit | None]
    symptoms: tuple[Symptom, ...] | None = None

    def subjects(self, shown: Sequence[SymptomStatus]) -> list[Subject]:
        """Every wizard that there is something to do in, symptoms first. Reads the record."""
        from runbook.wizard.open_incidents import open_incidents

        found = [
            Subject(f"{each.id:<20} {each.severity}  {visible(each.observed, 44)}", symptom_id=each.id)
            for each in shown
        ]
        for incident, standing in open_incidents(self.root):
            words = f"{incident.id}  {standing.state.replace('_', ' ')}, by {visible(standing.owner, 20)}"
            found.append(Subject(words, incident_id=incident.id))
        return found

    def open(self, subject: Subject) -> None:
        """Talk until it is over, left or read-only. Blocks; says whatever goes wrong in three lines."""
        try:
            control = self._control(subject)
            permit = self.permit()
            if permit is None:
                self._look(control)
            else:
                from runbook.wizard.prompts import converse

                converse(control.driver(permit), Aloud(self.out), read=self._read)
        except OperatorError as error:
            for text in error.fault.as_lines():
                self.out(text)

    def _control(self, subject: Subject) -> WizardControl:
        from console.control.wizard_control import WizardControl

        known = self.symptoms
        if known is None:
            from runbook.symptoms import SYMPTOMS

            known = SYMPTOMS
        return WizardControl(self.root, known, symptom_id=subject.symptom_id, incident_id=subject.incident_id)

    def _look(self, control: WizardControl) -> None:
        """What the wizard's screen shows: what contains it first, then the cause."""
        view = control.look()
        self._show(view)
        if view.incident_id is None and view.move is not None:
            control.look_for_cause()
            self._show(control.look())
        self.out("read-only: view only; arm first to answer")

    def _show(self, view: WizardView) -> None:
        from console.control.wizard_view import choices
        from console.presentation.wizard import body_lines, head_lines
        from console.presentation.wizard_question import question_lines

        now = time.time()
        lines = [
            *head_lines(view, now, WIDTH),
            *body_lines(view, None, now, WIDTH, unfolded=True),
            *question_lines(view, choices(view), 0, "", WIDTH, 1_000, armed=False),
        ]
        for spans in lines:
            self.out(visible(plain_text(spans).rstrip()))

    def _read(self) -> str:
        self.out("answer:")
        typed = self.ask()
        if typed is None:
            return ""
        if self.permit() is None:
            self.out("read-only: arming ended; nothing was answered")
            return ""
        return f"{typed}\n"
