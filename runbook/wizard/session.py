"""The wizard with hands: does the work that ``wizard.next_move`` names, and journals it first.

Everything that a session knows is in its journal; a second session on the same incident, after a
lost link, stands where the first one stood. Whoever acts holds the incident's lease.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from pipeline.contracts.faults import OperatorError
from pipeline.contracts.incidents import WizardState
from pipeline.contracts.untrusted import visible
from pipeline.platform.identity import user_name
from runbook.change.applied import Boundary, expected_states, no_boundary, read_applied
from runbook.change.apply import apply_plan, settle
from runbook.change.engine_trust import renew_trust
from runbook.change.incident import Incident, load_incident, open_incident
from runbook.change.plan import Draft, Plan
from runbook.change.planning import Planning
from runbook.change.refusals import refused
from runbook.change.rehearse import rehearse
from runbook.change.undo import last_undoable, nothing_to_undo, plan_undo
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput
from runbook.probes.workspace import Workspace
from runbook.symptom import Offer, Question, Symptom
from runbook.wizard import dialogue as wizard
from runbook.wizard.detecting import verify
from runbook.wizard.diagnosing import classify, record_probe, run_probe, still_holds, which_probe
from runbook.wizard.dialogue import Move, Standing, Work, fold, next_move
from runbook.wizard.handover import export_incident, write_page

HANDOVER = "handover.tar.gz"


class WizardSession:
    """One incident, open for reading, and for acting inside ``lease``.

    ``symptom`` is None for what was done directly, without a wizard.
    """

    def __init__(
        self,
        workspace: Workspace,
        incident: Incident,
        symptom: Symptom | None,
        *,
        clock: Callable[[], float] = time.time,
        boundary: Boundary = no_boundary,
    ) -> None:
        self.workspace = workspace
        self.incident = incident
        self.symptom = symptom
        self._clock = clock
        self._boundary = boundary

    @property
    def standing(self) -> Standing:
        """Read anew from the journal. Raises IntegrityError when that is broken."""
        return fold(self.incident.journal.entries())

    def offers(self, standing: Standing | None = None) -> tuple[Offer, ...]:
        """The ways out of just this standing."""
        now = standing or self.standing
        if self.symptom is None or now.detection is None:
            return ()
        return self.symptom.offers(now.detection, now.diagnosis)

    @property
    def move(self) -> Move:
        standing = self.standing
        return next_move(standing, self.offers(standing))

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Act inside. Raises WorkspaceLockedError; the page is renewed at the end."""
        with self.incident.lease():
            if (owner := self.standing.owner) and owner != user_name():
                self.incident.journal.append(
                    "owner", self.standing.state, detail={"was": owner, "says": "took it over"}
                )
            try:
                yield
            finally:
                write_page(self.incident, self.standing)

    def planning(self) -> Planning:
        symptom_id = self.symptom.id if self.symptom else None
        return Planning(self.workspace, self.incident.id, symptom_id, user_name(), self._clock())

    def answer(self, question_id: str, value: str) -> None:
        """Answer the question that is being asked. Raises RefusedError when it will not do.

        Consent has a method of its own, because it needs a reason.
        """
        standing = self.standing
        move = next_move(standing, self.offers(standing))
        if not isinstance(move, Question) or move.id != question_id:
            asked = move.id if isinstance(move, Question) else move
            raise refused(
                "not_asked",
                f"{question_id} is not asked now ({asked}).",
                f"See it: distill incident show {self.incident.id}",
            )
        if question_id == wizard.CONSENT:
            if value != wizard.BACK:
                raise refused("consent_needs_reason", "Consent needs a name and a reason.", "Use consent().")
            self._drop("the operator chose again")
            return
        if (problem := move.problem(value)) is not None:
            raise refused("no_such_answer", f"{visible(value, 80)}: {problem}.", move.text)
        if value in (wizard.ESCALATE, wizard.ABANDON, wizard.STOP) and question_id in (
            wizard.OFFER,
            wizard.AFTERWARDS,
        ):
            self._close(value, standing)
        elif question_id == wizard.OFFER:
            self._note(standing.state, {"offer": value})
        elif question_id == wizard.AFTERWARDS:
            self._note("detected", {"offer": value})
            self.diagnose()
        else:
            self._note(standing.state, {"answers": {question_id: value}})

    def work(self) -> Standing:
        """Do the work that is next; a question waits for its answer. Raises what the work raises."""
        work: dict[Work, Callable[[], object]] = {
            Work.DIAGNOSE: self.diagnose,
            Work.PLAN: self.plan_offer,
            Work.REHEARSE: self.rehearse_plan,
            Work.SETTLE: self.settle,
            Work.APPLY: self.apply,
            Work.VERIFY: self.verify,
        }
        move = self.move
        if isinstance(move, Work):
            work[move]()
        return self.standing

    def see(self, detection: Detection) -> None:
        """Record what the detector says now. What was concluded from an earlier look falls."""
        self.incident.journal.append(
            "state",
            "detected",
            verdict=detection.verdict,
            detail={"detection": detection.model_dump(mode="json")},
        )
        self._boundary("seen")

    def diagnose(self, outputs: Mapping[str, ProbeOutput] = MappingProxyType({})) -> Diagnosis:
        """Run the probes, each within its limit, and classify. Only reads.

        What a diagnosis that was cut off has just seen is not looked for again, nor what ``outputs`` hold: a
        look that was made before the incident was opened. It comes into the record.
        """
        standing = self.standing
        if self.symptom is None or standing.detection is None:
            raise refused(
                "nothing_to_diagnose", "This incident has no symptom.", "Find one: distill runbook detect"
            )
        symptom, seen = self.symptom, dict[str, ProbeOutput]()
        probes = symptom.probes(standing.detection)
        recorded = standing.probes if standing.diagnosis is None else {}
        for number, probe in enumerate(probes, start=1):
            self.workspace.tell(which_probe(number, len(probes), probe))
            earlier = recorded.get(probe.id) or outputs.get(probe.id)
            holds = earlier is not None and still_holds(self.workspace, earlier, self._clock())
            seen[probe.id] = earlier if earlier and holds else run_probe(self.workspace, probe, self._clock)
            if holds and probe.id in recorded:
                continue
            record_probe(self.incident, seen[probe.id])
            self._boundary(f"probe:{probe.id}")
        diagnosis = classify(symptom, standing.detection, seen)
        self.incident.journal.append(
            "classified",
            "classified",
            verdict=diagnosis.cause.id,
            detail={"diagnosis": diagnosis.model_dump(mode="json")},
        )
        self._boundary("classified")
        return diagnosis

    def choose(self, offer_id: str, answers: Mapping[str, str]) -> Plan:
        """Choose a way out and answer its questions at once, then plan. Raises RefusedError."""
        standing = self.standing
        offer = next((each for each in self.offers(standing) if each.id == offer_id), None)
        if offer is None:
            see = f"See them: distill runbook diagnose {standing.symptom_id or 'SYMPTOM'}"
            raise refused("no_offer", f"There is no offer {offer_id}.", see)
        given: dict[str, str] = {}
        for question in offer.questions:
            value = answers.get(question.id, question.default)
            if value is None or (problem := question.problem(value)) is not None:
                why = "it has no answer" if value is None else problem
                raise refused("answer_missing", f"{question.text} {why}.", f"Add --answer {question.id}=…")
            given[question.id] = value
        self._note(standing.state, {"offer": offer_id})
        if given:
            self._note(standing.state, {"answers": given})
        return self.plan_offer()

    def plan_offer(self) -> Plan:
        """Turn the chosen offer into a plan. A refusal leads back to the choice, with its words."""
        standing = self.standing
        offer = next((each for each in self.offers(standing) if each.id == standing.offer_id), None)
        if offer is None:
            raise refused("no_offer", f"There is no offer {standing.offer_id}.", "Choose again.")
        try:
            draft = offer.make(self.planning(), standing.answers)
        except OperatorError as error:
            self._drop(f"{error.fault.what_happened} {error.fault.do_next}")
            raise
        return self.adopt(draft, offer_id=offer.id)

    def adopt(self, draft: Draft, *, offer_id: str | None = None) -> Plan:
        """Take a draft as this incident's plan: its new content is kept, then it is journalled."""
        for data in draft.contents.values():
            self.incident.keep(data)
        plan = draft.plan
        before = expected_states(plan, read_applied((), plan.hash))
        self.incident.journal.append(
            "planned",
            "planned",
            inputs={path: state.sha256 for path, state in before.items()},
            plan_hash=plan.hash,
            detail={"plan": plan.model_dump(mode="json"), "offer": offer_id, "code": plan.code},
        )
        self._boundary("planned")
        return plan

    def rehearse_plan(self) -> None:
        """Carry plan and undo out in a copy, and keep the result for the consent."""
        plan = self._plan()
        result = rehearse(self.planning(), Draft(plan=plan), self.incident)
        self.incident.journal.append(
            "state",
            "awaiting_approval",
            verdict="rehearsed" if result.ok else "rehearsal failed",
            plan_hash=plan.hash,
            detail={"rehearsal": result.model_dump(mode="json")},
        )
        self._boundary("rehearsed")

    def consent(self, typed: str, who: str, reason: str) -> None:
        """Agree to the plan by its four digits (or whole hash). Raises RefusedError for any other."""
        plan = self._plan()
        if typed not in (plan.code, plan.hash):
            raise refused(
                "wrong_code", "That is not this plan's code.", f"Read the plan; its code is {plan.code}."
            )
        if not who.strip() or not reason.strip():
            raise refused("consent_unexplained", "Consent needs a name and a reason.", "Say who and why.")
        self.incident.journal.append(
            "consent",
            "applying",
            actor=who if who == user_name() else f"{who} (typed by {user_name()})",
            plan_hash=plan.hash,
            reason=reason,
        )
        self._boundary("consented")

    def settle(self) -> None:
        """Close an open intent by what the files say. Raises StepFailedError for a conflict."""
        settle(self.workspace, self.incident, self._plan())
        self._boundary("settled")

    def apply(self) -> None:
        """Carry out what is left of the plan."""
        apply_plan(self.workspace, self.incident, self._plan(), boundary=self._boundary)
        self._boundary("applied")

    def verify(self) -> bool:
        """Whether the detector that raised the incident is green now; the state follows."""
        plan = self._plan()
        # A process that was killed after its last step has not come to it.
        renew_trust(
            self.workspace.root, self.incident, read_applied(self.incident.journal.entries(), plan.hash)
        )
        good = verify(self.workspace, self.incident, self.symptom, plan)
        self._boundary("verified")
        return good

    def plan_taking_back(self) -> Plan:
        """A plan that takes the last change back. Raises RefusedError when there is none."""
        entries = self.incident.journal.entries()
        plan = last_undoable(entries)
        if plan is None:
            raise nothing_to_undo(entries)
        return self.adopt(plan_undo(self.planning(), self.incident, plan))

    def _plan(self) -> Plan:
        plan = self.standing.plan
        if plan is None:
            raise refused("no_plan", "This incident has no plan.", "Make one: distill runbook plan SYMPTOM")
        return plan

    def _drop(self, says: str) -> None:
        standing = self.standing
        state: WizardState = "classified" if standing.diagnosis is not None else "detected"
        if standing.plan is not None and standing.plan.undoes is not None:
            state = self._before_plan(standing.plan.hash)
        self.incident.journal.append(
            "state", state, verdict="dropped", detail={"dropped": True, "says": says}
        )

    def _before_plan(self, plan_hash: str) -> WizardState:
        """Where a way back was asked for: what was resolved is so still when nobody takes it back."""
        entries = self.incident.journal.entries()
        at = next(number for number, entry in enumerate(entries) if entry.plan_hash == plan_hash)
        return entries[max(0, at - 1)].state

    def _note(self, state: WizardState, detail: dict[str, Any]) -> None:
        self.incident.journal.append("note", state, detail=detail)
        self._boundary("answered")

    def _close(self, value: str, standing: Standing) -> None:
        states: dict[str, WizardState] = {wizard.ESCALATE: "escalated", wizard.ABANDON: "abandoned"}
        self.incident.journal.append("state", states.get(value, standing.state), detail={"closed": True})
        write_page(self.incident, self.standing)
        if value == wizard.ESCALATE:
            export_incident(self.incident, self.incident.folder / HANDOVER)


def open_session(
    workspace: Workspace,
    symptom: Symptom | None,
    detection: Detection | None,
    *,
    title: str = "",
    name: str | None = None,
    argv: Sequence[str] = (),
) -> WizardSession:
    """A new incident. With a symptom it starts from what its detector saw; ``name`` goes into its id."""
    told = title or (symptom.title if symptom else "")
    incident = open_incident(workspace.root, symptom.id if symptom else None, told, name=name)
    with incident.made_or_gone():
        incident.journal.append(
            "opened",
            "detected",
            argv=argv,
            verdict=detection.verdict if detection else None,
            detail={
                "symptom_id": symptom.id if symptom else None,
                "severity": str(symptom.severity) if symptom else None,
                "title": told,
                "detection": detection.model_dump(mode="json") if detection else None,
            },
        )
    return WizardSession(workspace, incident, symptom)


def reopen_session(workspace: Workspace, incident_id: str, symptoms: Sequence[Symptom]) -> WizardSession:
    """The incident where it was left. Raises RefusedError for one that is not there."""
    incident = load_incident(workspace.root, incident_id)
    symptom = next((each for each in symptoms if each.id == incident.symptom_id), None)
    return WizardSession(workspace, incident, symptom)
