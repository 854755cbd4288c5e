"""PURE: the wizard's one question with its answers, and the words around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.control.wizard_view import READING
from console.presentation.lines import wrapped
from console.presentation.spans import Line, Role, Span, line, wrap_text
from console.presentation.wizard_plan import rule
from pipeline.contracts.shell_words import joined
from pipeline.contracts.untrusted import visible
from runbook.wizard import dialogue as wizard
from runbook.wizard.dialogue import CHANGES, DOING, Work

if TYPE_CHECKING:
    from console.control.wizard_view import Choice, WizardView


def question_lines(
    view: WizardView,
    answers: Sequence[Choice],
    marked: int,
    busy: str,
    width: int,
    most: int,
    *,
    armed: bool,
    note: str = "",
) -> list[Line]:
    """The question and its answers, the marked one bright, in at most ``most`` lines.

    ``note`` is what else there is to know before answering. Where there is not room for all, the
    marked answer and those around it are what stays.
    """
    asked = [rule(_title(view, busy), _aside(view, armed), width)]
    asked += _said(_text(view, busy), width, "strong")
    if view.question is not None and view.question.id != wizard.CONSENT and not busy:
        asked += _said(view.question.help[:300], width, "warn")
    asked += _said(note, width, "dim" if busy else "warn")
    groups = [
        _answer(choice, position == marked, armed, width)
        for position, choice in enumerate(() if busy else answers)
    ]
    lines = [*asked, *(spans for group in groups for spans in group)]
    if len(lines) <= most:
        return lines
    if not groups:
        return asked[1:][:most]
    chosen = groups[marked]
    above = [spans for group in groups[:marked] for spans in group]
    below = [spans for group in groups[marked + 1 :] for spans in group]
    room = max(0, most - len(chosen))
    head = asked[1 : 1 + room // 3]
    room -= len(head)
    shown_below = below[: max(room // 2, room - len(above))]
    shown_above = above[len(above) - (room - len(shown_below)) :] if room > len(shown_below) else []
    return [*head, *shown_above, *chosen, *shown_below][:most]


def _answer(choice: Choice, chosen: bool, armed: bool, width: int) -> list[Line]:
    refused = not armed and choice.deed not in READING
    role: Role = "strong" if chosen else ("dim" if refused else "text")
    return wrapped(line(" ", Span("► " if chosen else "  ", "cursor")), choice.words, width - 1, role)


def _said(text: str, width: int, role: Role) -> list[Line]:
    parts = wrap_text(visible(text), max(8, width - 3)) if text else []
    return [line(" ", Span(part, role)) for part in parts]


def _title(view: WizardView, busy: str) -> str:
    if busy or view.is_applying:
        return "RUNNING"
    return "QUESTION" if view.question is not None else "NOW"


def _aside(view: WizardView, armed: bool) -> str:
    if armed or (view.move is None and not view.undoable):
        return ""
    return "read-only: view only; a arms"


def _text(view: WizardView, busy: str) -> str:
    if busy:
        if isinstance(view.move, Work) and view.move not in CHANGES and view.incident_id is not None:
            return f"» {DOING[view.move]}"
        return f"» {busy}"
    if view.is_applying:
        return "Runs detached; safe to leave with esc."
    if view.is_cut_off:
        return "It was approved and then interrupted. What now?"
    if isinstance(view.move, Work):
        return f"Next: {DOING[view.move]}."
    question = view.question
    if question is None:
        return _end_text(view)
    if question.id == wizard.CONSENT:
        return "The plan is out of date. What now?" if view.void else "Apply this plan?"
    return question.text


def _end_text(view: WizardView) -> str:
    state = view.standing.state
    if view.incident_id is None:
        return "The symptom is not detected: nothing to do."
    if state == "resolved":
        return "Resolved: the detector that raised it is green."
    if state == "mitigated":
        return "Mitigated: the damage is contained; the cause is not repaired."
    if state == "escalated":
        return f"Handed over: reports/incidents/{view.incident_id}/handover.tar.gz"
    return "It was left as it is."


def leaving_words(view: WizardView) -> str:
    """What leaving means for what is seen."""
    if view.incident_id is None:
        return "nothing was changed, no incident was opened"
    if view.is_applying:
        return f"runs detached: {view.incident_id}"
    if view.move is None:
        return f"{view.standing.state}: {view.incident_id}"
    return f"{view.incident_id} stays open where it is: {view.standing.state.replace('_', ' ')}"


def command_line(view: WizardView, workspace: str, actor: str) -> str:
    """The same without a screen: by the plan's hash where there is one, else by the same questions."""
    here = ["-C", workspace]
    if view.preview is not None and not view.preview.is_trial and not view.standing.consented:
        plan = ["--plan", view.preview.plan.hash, "--approve-as", actor or "NAME", "--reason", "WHY"]
        return joined(["distill", "runbook", "apply", *here, *plan])
    if view.to_commit:
        return f"cd {joined([workspace])} && {view.to_commit}"
    if view.incident_id is not None and view.move is not None:
        return joined(["distill", "runbook", "resume", *here, view.incident_id])
    if view.incident_id is not None:
        verb = ["undo"] if view.undoable else ["incident", "show"]
        return joined(["distill", *verb, *here, view.incident_id])
    return joined(["distill", "runbook", "open", *here, view.symptom_id or ""])
