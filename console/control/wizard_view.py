"""What a wizard's screen shows, as one value: read by ``wizard_control``, laid out by the presentation.

``Choice`` is an answer that a person can take. The list is made here, and not by the screen, so
that every way to answer is known in one place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.contracts.faults import Fault
from pipeline.contracts.incidents import IncidentEntry
from pipeline.contracts.severity import Severity
from pipeline.platform.lock import Holder
from runbook.change.plan import Plan
from runbook.symptom import Offer, Question
from runbook.wizard import dialogue as wizard
from runbook.wizard.dialogue import CHANGES, DOING, Move, Standing, Work


class Deed(StrEnum):
    """What taking a choice does. Only ``LEAVE``, ``LOOK`` and ``ELSEWHERE`` write nothing."""

    LEAVE = "leave"
    LOOK = "look"
    ELSEWHERE = "elsewhere"
    ANSWER = "answer"
    TYPE = "type"
    CONSENT = "consent"
    GO_ON = "go on"
    PLAN_AGAIN = "plan again"
    TAKE_BACK = "undo"


READING = (Deed.LEAVE, Deed.LOOK, Deed.ELSEWHERE)


@dataclass(frozen=True)
class Choice:
    """``value`` is the answer's own, or the symptom to go to."""

    deed: Deed
    words: str
    value: str = ""


@dataclass(frozen=True)
class Preview:
    """A plan and what it would do to files. ``is_trial`` is one that nobody can consent to yet."""

    plan: Plan
    difference: tuple[str, ...] = ()
    is_trial: bool = False


@dataclass(frozen=True)
class WizardView:
    """``incident_id`` is None while nothing was opened: all of it was only looked at.

    ``holder`` is who else acts on the incident now. ``running`` says that a worker of this
    console is applying the plan. ``to_commit`` is the command that records what was repaired, where
    HEAD does not hold it. ``void`` is why the plan does not hold any more. ``taken_over``
    tells of another person's incident.
    """

    symptom_id: str | None
    severity: Severity | None
    title: str
    why: str = ""
    incident_id: str | None = None
    taken_over: str = ""
    standing: Standing = field(default_factory=Standing)
    move: Move = None
    offers: tuple[Offer, ...] = ()
    preview: Preview | None = None
    void: str = ""
    holder: Holder | None = None
    running: bool = False
    entries: tuple[IncidentEntry, ...] = ()
    undoable: str = ""
    to_commit: str = ""
    last_words: tuple[str, ...] = ()
    fault: Fault | None = None

    @property
    def question(self) -> Question | None:
        return self.move if isinstance(self.move, Question) else None

    @property
    def is_critical(self) -> bool:
        return self.severity is Severity.CRITICAL

    @property
    def is_applying(self) -> bool:
        """A worker is at it, ours or one that outlived its console."""
        return self.move in CHANGES and (self.running or self.holder is not None)

    @property
    def is_cut_off(self) -> bool:
        """Agreed to and not finished, and nobody is at it."""
        return self.move in CHANGES and not self.is_applying


def choices(view: WizardView) -> tuple[Choice, ...]:
    """Every answer there is now, the harmless one first; none while something is at work."""
    if view.fault is not None or view.is_applying:
        return ()
    stay = Choice(Deed.LEAVE, _stay_words(view))
    question = view.question
    if question is not None and question.id == wizard.CONSENT:
        return (stay, *_of_plan(view))
    if question is not None:
        return (stay, *_of_question(view, question))
    if view.is_cut_off and view.void:
        return (stay, Choice(Deed.PLAN_AGAIN, "Plan it again, from the files as they are now."))
    if view.is_cut_off:
        back = (_take_back(view),) if view.undoable else ()
        return (stay, Choice(Deed.GO_ON, _go_on_words(view)), *back)
    if isinstance(view.move, Work):
        ahead = Deed.GO_ON if view.incident_id else Deed.LOOK
        return (stay, Choice(ahead, f"Go on with {DOING[view.move]}."))
    if view.undoable:
        return (stay, _take_back(view))
    return (stay,)


def _stay_words(view: WizardView) -> str:
    if view.incident_id is None:
        return "Not now: nothing is changed, no incident is opened."
    if view.move is None:
        return f"Leave: the record stays in {view.incident_id}."
    return "Not now: nothing is changed, the incident stays open where it is."


def _of_plan(view: WizardView) -> tuple[Choice, ...]:
    if view.void:
        return (
            Choice(Deed.PLAN_AGAIN, "Plan it again, from the files as they are now."),
            Choice(Deed.ANSWER, "Choose another option.", wizard.BACK),
        )
    title = view.preview.plan.title if view.preview else "Apply it"
    return (
        Choice(Deed.ANSWER, "Choose another option; this plan is dropped.", wizard.BACK),
        Choice(Deed.CONSENT, f"{title} …"),
    )


def _of_question(view: WizardView, question: Question) -> tuple[Choice, ...]:
    if question.kind == "choice":
        found = [_answer(view, value, words) for value, words in question.choices]
        seen = view.standing.diagnosis
        if seen is not None and seen.see:
            found.insert(0, Choice(Deed.ELSEWHERE, f"Go to the wizard of {seen.see}.", seen.see))
        if question.id in (wizard.AFTERWARDS, wizard.OFFER) and view.undoable:
            found.append(_take_back(view))
        return tuple(choice for choice in found if choice is not None)
    typed = Choice(Deed.TYPE, "Type the answer …")
    if question.default is None:
        return (typed,)
    return (Choice(Deed.ANSWER, f"{question.default} (as it stands)", question.default), typed)


def _take_back(view: WizardView) -> Choice:
    return Choice(Deed.TAKE_BACK, f"Undo (with preview): {view.undoable}")


def _answer(view: WizardView, value: str, words: str) -> Choice | None:
    if view.incident_id is None and value == wizard.ABANDON:
        return None  # there is nothing to abandon
    if view.incident_id is None and value == wizard.DIAGNOSE:
        return Choice(Deed.LOOK, words)
    return Choice(Deed.ANSWER, words, value)


def _go_on_words(view: WizardView) -> str:
    return f"Go on: {DOING[view.move]}." if isinstance(view.move, Work) else "Go on."
