"""PURE: the dialogue of an incident, folded from its journal.

``fold`` turns entries into where the wizard stands; ``next_move`` says what comes next: a
question, a piece of work, or nothing. A screen, a prompt and flags all answer the same questions,
and a wizard that is re-opened asks the one it would have asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from pipeline.contracts.incidents import IncidentEntry, WizardState
from pipeline.contracts.status import Verdict
from pipeline.platform.code_question import code_question
from runbook.change.applied import Applied, read_applied
from runbook.change.plan import Plan, Rehearsal
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput
from runbook.symptom import Offer, Question

OVER: tuple[WizardState, ...] = ("resolved", "escalated", "abandoned")
# Verdicts of a verification that lets an incident end.
AS_PLANNED, CONTAINED = "as planned", "contained"
GOOD = (str(Verdict.CLEAR), AS_PLANNED, CONTAINED)
DIAGNOSE, ESCALATE, ABANDON, BACK, STOP = "diagnose", "escalate", "abandon", "back", "stop"
OFFER, CONSENT, REASON, AFTERWARDS = "offer", "consent", "reason", "afterwards"


class Work(StrEnum):
    """What the wizard does by itself; only ``APPLY`` changes anything, and only after consent."""

    DIAGNOSE = "diagnose"
    PLAN = "plan"
    REHEARSE = "rehearse"
    SETTLE = "settle"
    APPLY = "apply"
    VERIFY = "verify"


# What runs in the worker, after consent; all other work only reads and copies.
CHANGES = (Work.SETTLE, Work.APPLY, Work.VERIFY)
DOING = {
    Work.DIAGNOSE: "looking for the cause; nothing is changed",
    Work.PLAN: "making the plan; nothing is changed",
    Work.REHEARSE: "rehearsing plan and undo in a copy",
    Work.SETTLE: "check by the files what was interrupted, then finish the plan",
    Work.APPLY: "apply the approved plan",
    Work.VERIFY: "re-run the detector",
}


@dataclass(frozen=True)
class Standing:
    """Where an incident stands. ``answers`` are those to the questions of the chosen offer."""

    incident_id: str = ""
    symptom_id: str | None = None
    state: WizardState = "detected"
    opened_at: str = ""
    owner: str = ""
    detection: Detection | None = None
    probes: dict[str, ProbeOutput] = field(default_factory=dict)
    diagnosis: Diagnosis | None = None
    offer_id: str | None = None
    answers: dict[str, str] = field(default_factory=dict)
    plan: Plan | None = None
    rehearsal: Rehearsal | None = None
    consented: bool = False
    applied: Applied = field(default_factory=Applied)
    verified: Detection | None = None
    verified_plan: str | None = None
    undone: tuple[str, ...] = ()
    closed: bool = False
    trouble: str = ""
    entries: int = 0

    @property
    def has_open_intent(self) -> bool:
        return self.applied.open_step is not None

    @property
    def is_over(self) -> bool:
        # What was done directly has no cause to look for; contained is as far as it goes.
        done = self.symptom_id is None and self.state == "mitigated"
        return self.closed or done or self.state in OVER


def fold(entries: Sequence[IncidentEntry]) -> Standing:
    """The standing after ``entries``."""
    standing = Standing()
    for entry in entries:
        standing = replace(_advance(standing, entry), state=entry.state, entries=standing.entries + 1)
    if standing.plan is not None:
        standing = replace(standing, applied=read_applied(entries, standing.plan.hash))
    return standing


def _advance(standing: Standing, entry: IncidentEntry) -> Standing:
    detail: Mapping[str, Any] = entry.detail
    match entry.kind:
        case "opened":
            found = detail.get("detection")
            return replace(
                standing,
                incident_id=entry.incident_id,
                symptom_id=detail.get("symptom_id"),
                opened_at=entry.recorded_at,
                owner=entry.actor,
                detection=Detection.model_validate(found) if found else None,
            )
        case "owner":
            return replace(standing, owner=entry.actor)
        case "probe":
            output = ProbeOutput.model_validate(detail["output"])
            return replace(standing, probes={**standing.probes, output.probe_id: output})
        case "classified":
            diagnosis = Diagnosis.model_validate(detail["diagnosis"])
            return replace(_without_offer(standing), diagnosis=diagnosis, closed=False)
        case "planned":
            plan = Plan.model_validate(detail["plan"])
            fresh = replace(standing, rehearsal=None, consented=False, trouble="", verified_plan=None)
            # One that was made by hand is the answer to no offer.
            return replace(fresh, plan=plan, offer_id=detail.get("offer"))
        case "consent":
            return replace(standing, consented=True)
        case "verified":
            seen = detail.get("detection")
            return replace(
                standing,
                verified=Detection.model_validate(seen) if seen else None,
                verified_plan=entry.plan_hash,
                trouble="" if entry.verdict in GOOD else str(detail.get("says") or ""),
            )
        case "note":
            return _noted(standing, detail)
        case "state":
            return _stated(standing, entry, detail)
        case "intent" | "outcome":
            return standing


def _noted(standing: Standing, detail: Mapping[str, Any]) -> Standing:
    if "offer" in detail:
        return replace(_without_offer(standing), offer_id=str(detail["offer"]))
    if "answers" in detail:
        given = {str(name): str(value) for name, value in dict(detail["answers"]).items()}
        return replace(standing, answers={**standing.answers, **given})
    return standing


def _stated(standing: Standing, entry: IncidentEntry, detail: Mapping[str, Any]) -> Standing:
    if detail.get("rehearsal"):
        return replace(standing, rehearsal=Rehearsal.model_validate(detail["rehearsal"]))
    if detail.get("detection"):
        seen = Detection.model_validate(detail["detection"])
        return replace(_without_offer(standing), detection=seen, probes={}, diagnosis=None)
    if detail.get("dropped"):
        return _without_offer(standing, trouble=str(detail.get("says") or ""))
    if detail.get("undone"):
        undone = (*standing.undone, str(detail["undone"]))
        return replace(_without_offer(standing), undone=undone, verified=None)
    if detail.get("closed"):
        return replace(standing, closed=True)
    return standing


def _without_offer(standing: Standing, trouble: str = "") -> Standing:
    return replace(
        standing,
        offer_id=None,
        answers={},
        plan=None,
        rehearsal=None,
        consented=False,
        applied=Applied(),
        verified_plan=None,
        trouble=trouble,
    )


Move = Question | Work | None


def next_move(standing: Standing, offers: Sequence[Offer]) -> Move:
    """What comes next; None when the incident is over. ``offers`` are those of this standing."""
    if standing.is_over:
        return None
    if standing.has_open_intent:
        return Work.SETTLE
    plan = standing.plan
    if plan is not None and standing.consented:
        if not standing.applied.is_complete(plan):
            return Work.APPLY
        if standing.verified_plan != plan.hash:
            return Work.VERIFY
        return afterwards(standing)
    if plan is not None:
        if standing.rehearsal is None and plan.needs_rehearsal:
            return Work.REHEARSE
        return consent_question(plan, standing.rehearsal)
    offer = next((each for each in offers if each.id == standing.offer_id), None)
    if offer is not None:
        return _missing_answer(offer, standing) or Work.PLAN
    if standing.diagnosis is None and standing.offer_id == DIAGNOSE:
        return Work.DIAGNOSE
    if standing.diagnosis is None and not any(each.immediate for each in offers):
        return Work.DIAGNOSE
    return offer_question(standing, offers)


def _missing_answer(offer: Offer, standing: Standing) -> Question | None:
    return next((question for question in offer.questions if question.id not in standing.answers), None)


def offer_question(standing: Standing, offers: Sequence[Offer]) -> Question:
    """Which way out. Before the diagnosis only what contains the damage is offered."""
    known = standing.diagnosis is not None
    choices = [(offer.id, offer.title) for offer in offers if known or offer.immediate]
    if not known:
        choices.append((DIAGNOSE, "Find the cause first; nothing is changed."))
    choices.append((ESCALATE, "Hand it over: pack what is known for somebody else."))
    choices.append((ABANDON, "Leave it; nothing further is changed."))
    text = "What shall be done?" if known else "Contain it now, or find the cause first?"
    return Question(OFFER, text, "choice", tuple(choices), help=standing.trouble)


def consent_question(plan: Plan, rehearsal: Rehearsal | None) -> Question:
    """Asks for the plan's own four digits: what was read is what is agreed to."""
    help_text = code_question(plan.code, "apply it", "nothing is changed", reason=True)
    help_text += f" {BACK}: choose another option."
    if rehearsal is not None and not rehearsal.ok:
        help_text += f" The undo did NOT come out right in rehearsal: {rehearsal.detail}"
    elif rehearsal is not None and rehearsal.left_out:
        help_text += f" Not rehearsed: {rehearsal.left_out}."
    return Question(CONSENT, f"{plan.title}?", "code", help=help_text)


def afterwards(standing: Standing) -> Question:
    """After a repair that did not make the detector green, or that only contained the damage."""
    if standing.state == "mitigated":
        choices: tuple[tuple[str, str], ...] = (
            (DIAGNOSE, "Go on: find the cause and repair it."),
            (STOP, "Stop here; the incident stays mitigated."),
        )
        return Question(AFTERWARDS, "The damage is contained. Go on?", "choice", choices)
    choices = (
        (DIAGNOSE, "Diagnose again: the repair may have shown another cause."),
        (ESCALATE, "Hand it over."),
        (ABANDON, "Leave it as it is now."),
    )
    text = "The detector that raised it is not green. What now?"
    return Question(AFTERWARDS, text, "choice", choices, help=standing.trouble)
