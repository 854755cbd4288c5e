"""The driver of a wizard: whose incident it is, the work between two questions, who carries a plan out.

A screen, plain prompts and flags are faces of it: they show what is asked and hand over what was
answered. Looking needs nothing and writes nothing. Whatever writes holds the incident's lease
until the worker takes over or the face lets go; what changes files runs in the worker, which
needs neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pipeline.contracts.faults import OperatorError
from pipeline.contracts.status import Verdict
from pipeline.contracts.untrusted import visible
from pipeline.platform.detached import Detached
from pipeline.platform.identity import user_name
from runbook.change.apply import refuse_when_changed
from runbook.change.incident import Incident
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.change.refusals import RefusedError, refused
from runbook.change.void_watch import VoidWatch
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput
from runbook.probes.workspace import Workspace
from runbook.symptom import Offer, Symptom
from runbook.wizard import worker
from runbook.wizard.detecting import detect_one, keep_one
from runbook.wizard.diagnosing import diagnose_only, still_holds
from runbook.wizard.dialogue import CHANGES, Standing, Work
from runbook.wizard.open_incidents import open_incidents
from runbook.wizard.session import WizardSession, open_session, reopen_session

Start = Callable[[Incident, str], Detached]


class Driver:
    """One wizard: of a symptom, whose open incident is gone on with, or of the incident in ``session``.

    ``argv`` is how it was asked for, for the record of a new incident. ``tell`` hears of each piece
    of work before it is done. ``start`` starts a worker.
    """

    def __init__(
        self,
        workspace: Workspace,
        symptom: Symptom | None,
        session: WizardSession | None = None,
        *,
        argv: Sequence[str] = (),
        tell: Callable[[Work], None] = lambda _work: None,
        start: Start | None = None,
    ) -> None:
        self.workspace = workspace
        self.symptom = symptom
        self.session = session
        self._is_given = session is not None
        self._is_found = False
        self._owner_before: str | None = None
        self.detection: Detection | None = None
        self.diagnosis: Diagnosis | None = None
        self._outputs: Mapping[str, ProbeOutput] = {}
        self.void = VoidWatch(workspace.root)
        self.tell = tell
        self._argv = argv
        self._start = start or worker.start
        self._lease: ExitStack | None = None

    @classmethod
    def of_incident(
        cls,
        root: Path,
        incident_id: str,
        symptoms: Sequence[Symptom],
        start: Start | None = None,
    ) -> Driver:
        """The incident where it was left. Raises RefusedError for one that is not there."""
        session = reopen_session(Workspace(root), incident_id, symptoms)
        return cls(session.workspace, session.symptom, session, start=start)

    # Looking

    def find(self) -> WizardSession | None:
        """The incident that is gone on with; None when it would be a new one.

        A mitigated one is done with when the symptom rings again: what rings now is another case.
        """
        if self.session is None and self.symptom is not None:
            wanted = self.symptom.id
            ours = open_incidents(self.workspace.root, among=lambda each: each.symptom_id == wanted)
            incident, standing = next(ours, (None, Standing()))
            rings = standing.state == "mitigated" and self.look().verdict is Verdict.DETECTED
            if incident is not None and not rings:
                self.session = WizardSession(self.workspace, incident, self.symptom)
                self._is_found = True
        return self.session

    def whose(self) -> str:
        """Whose incident is gone on with, and by whom; empty where it is the caller's, who named it."""
        session = self.find()
        yours = (
            f"incident {session.incident.id} continues; you own it"
            if session is not None and self._is_found
            else ""
        )
        return self.taken_over() or yours

    def taken_over(self) -> str:
        """The same for another person's; empty for the caller's own."""
        session = self.find()
        if session is None:
            return ""
        was, owner, me = self._found_as(session), session.standing.owner, user_name()
        if not was or was == me:
            return ""
        is_taken = owner == me
        then = f"{me} goes on with it" if is_taken else f"what {me} does here takes it over"
        return visible(f"incident {session.incident.id} {'was' if is_taken else 'is'} {was}'s; {then}", 200)

    def _found_as(self, session: WizardSession) -> str:
        """Who owned it before anything was done in it from here."""
        if self._owner_before is None:
            self._owner_before = session.standing.owner
        return self._owner_before

    def look(self) -> Detection:
        """What the detector says, asked once. Raises RefusedError without a symptom."""
        if self.symptom is None:
            raise refused("no_symptom", "There is no symptom to look at.", "See: distill incident list")
        if self.detection is None:
            self.detection = detect_one(self.workspace, self.symptom)
        return self.detection

    def look_for_cause(self) -> None:
        """Probe and classify from here."""
        if self.symptom is not None:
            self._outputs, self.diagnosis = diagnose_only(self.workspace, self.symptom, self.look())

    def look_anew(self) -> None:
        """Forget what was seen from here."""
        self.detection = self.diagnosis = None
        self._outputs = {}
        self.void.forget()

    def why_void(self, standing: Standing) -> str:
        """Why the plan does not hold any more; empty while it does, and while an intent has to be settled."""
        if standing.plan is None or standing.has_open_intent:
            return ""
        return self.void.why(standing.plan, standing.applied)

    # Acting

    def open(self) -> WizardSession:
        """The open incident, or a new one. Raises RefusedError when the symptom does not show."""
        session = self.find()
        if session is None:
            seen = self.look()
            if seen.verdict is Verdict.CLEAR:
                raise _not_detected(seen, "See what does: distill runbook detect")
            session = self.session = open_session(self.workspace, self.symptom, seen, argv=self._argv)
            if self.symptom is not None:
                keep_one(self.workspace, self.symptom, seen)
        return session

    def hold(self) -> WizardSession:
        """Be the one who acts, until ``let_go``. Raises WorkspaceLockedError, naming who else does."""
        is_new = self.find() is None
        session = self.open()
        self._found_as(session)
        if self._lease is None:
            lease = ExitStack()
            lease.enter_context(session.lease())
            self._lease = lease
        if is_new and self.diagnosis is not None:
            # What was detected from here is not in the record; what is planned from must be.
            session.diagnose(self._outputs)
        return session

    def let_go(self) -> None:
        """Give the incident's lease back. The incident stays where it is."""
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.close()

    @property
    def is_acting(self) -> bool:
        return self._lease is not None

    @contextmanager
    def acting(self) -> Iterator[WizardSession]:
        try:
            yield self.hold()
        finally:
            self.let_go()

    def answer(self, question_id: str, value: str) -> None:
        """Answer what is asked, and work until the next question. Raises what it meets on the way."""
        self.hold().answer(question_id, value)
        self.work_until_asked()

    def work_until_asked(self) -> None:
        """All that only reads and copies. A refusal while planning is the help of the next question."""
        session = self.hold()
        before = session.standing.plan
        while isinstance(move := session.move, Work) and move not in CHANGES:
            self.tell(move)
            try:
                session.work()
            except OperatorError:
                if session.move is move:
                    raise
        standing = session.standing
        if standing.plan is not None and standing.plan != before:
            self.void.trust(standing.plan, standing.applied)

    def plan(self, offer_id: str | None, answers: Mapping[str, str]) -> None:
        """Choose a way out, the first where none is named, and plan it. The same plan stays while it holds.

        What can be done before anything is understood comes first, as on the screen.
        Raises RefusedError for an unknown offer, and while an agreed plan waits to be finished.
        """
        session = self._begin_planning()
        standing = session.standing
        immediate = [offer.id for offer in session.offers() if offer.immediate]
        if standing.state != "mitigated":
            offer_id = offer_id or next(iter(immediate), None)
        contains = offer_id in immediate
        if not contains and not self._still_classified(standing):
            self.tell(Work.DIAGNOSE)
            session.diagnose()
        offers = session.offers()
        chosen = offer_id or (offers[0].id if offers else None)
        if chosen not in [each.id for each in offers]:
            raise refused(
                "no_offer", f"There is no offer {chosen}.", _known(offers, session.standing.diagnosis)
            )
        if not self._stands(session, chosen or "", answers):
            session.choose(chosen or "", answers)
        self.work_until_asked()

    def plan_by_hand(self, make: Callable[[Planning], Draft]) -> None:
        """Plan what a person named, beside the ways out that are offered. The same plan stays while it holds.

        Raises what ``make`` raises, and RefusedError while an agreed plan waits to be finished.
        """
        session = self._begin_planning()
        draft, standing = make(session.planning()), session.standing
        is_planned = standing.plan is not None and standing.plan.title == draft.plan.title
        if not is_planned or standing.consented or self.why_void(standing):
            session.adopt(draft)
        self.work_until_asked()

    def _begin_planning(self) -> WizardSession:
        resumes = not self._is_given and self.find() is not None
        session = self.hold()
        if session.move is Work.SETTLE:
            session.settle()
        standing = session.standing
        if session.move in CHANGES and not self.why_void(standing):
            raise refused(
                "plan_unfinished",
                "A plan that was agreed to is not finished.",
                f"Finish it: distill runbook resume {session.incident.id}",
            )
        if resumes:
            self._see_again(session, standing)
        return session

    def plan_again(self) -> None:
        """The same way out, from the files as they are now; it needs a consent of its own."""
        session = self.hold()
        standing = session.standing
        if standing.plan is not None and standing.plan.undoes is not None:
            session.plan_taking_back()
        elif standing.offer_id is not None:
            session.choose(standing.offer_id, standing.answers)
        self.work_until_asked()

    def take_back(self) -> None:
        """A plan that takes the last change back; it is previewed and agreed to like any other."""
        self.hold().plan_taking_back()
        self.work_until_asked()

    def consent(self, plan_hash: str, typed: str, who: str, reason: str) -> None:
        """Agree to just this plan. Raises PlanVoidError when a file moved, RefusedError for other digits.

        One that was agreed to before, and cut off, is gone on with.
        """
        session = self.hold()
        standing = session.standing
        if standing.plan is None or standing.plan.hash != plan_hash:
            raise worker.another_plan(session.incident.id)
        if not standing.consented:
            self.void.forget()
            refuse_when_changed(self.workspace.root, standing.plan, standing.applied)
            session.consent(typed, who, reason)

    def carry_out(self) -> Detached:
        """Hand the incident over to a worker: it settles, applies and verifies, whoever goes away."""
        session = self.open()
        plan = session.standing.plan
        if plan is None:
            raise refused("no_plan", "This incident has no plan.", "Choose an option first.")
        self.let_go()
        return self._start(session.incident, plan.hash)

    def _see_again(self, session: WizardSession, standing: Standing) -> None:
        """What was detected when the incident was opened may be another thing by now."""
        seen, before = self.look(), standing.detection
        if seen.verdict is Verdict.CLEAR:
            raise _not_detected(seen, f"Finish or leave it: distill runbook resume {session.incident.id}")
        if before is None or _said_by(seen) != _said_by(before):
            session.see(seen)

    def _still_classified(self, standing: Standing) -> bool:
        """Whether the cause that was named may be planned from: nothing moved since it was looked for."""
        now = time.time()
        outputs = standing.probes.values()
        return standing.diagnosis is not None and all(
            still_holds(self.workspace, output, now) for output in outputs
        )

    def _stands(self, session: WizardSession, offer_id: str, answers: Mapping[str, str]) -> bool:
        """Whether just this way out is planned, waits for consent, and its files are as they were."""
        standing = session.standing
        plan = standing.plan
        offer = next((each for each in session.offers(standing) if each.id == offer_id), None)
        if plan is None or plan.undoes is not None or offer is None or standing.offer_id != offer_id:
            return False
        given = {each.id: answers.get(each.id, each.default) for each in offer.questions}
        waits = not standing.consented and given == standing.answers
        return waits and not self.why_void(standing)


def _known(offers: Sequence[Offer], diagnosis: Diagnosis | None) -> str:
    if offers:
        return f"Offers: {', '.join(each.id for each in offers)}"
    if diagnosis is not None and diagnosis.see:
        return f"What explains it comes first: distill runbook open {diagnosis.see}"
    return "It has none: hand it over."


def _not_detected(seen: Detection, do_next: str) -> RefusedError:
    said = f"{seen.symptom_id} is not detected: {visible(seen.observed, 200)}"
    return refused("not_detected", said, do_next)


def _said_by(detection: Detection) -> tuple[object, ...]:
    """What of a detection a plan may rest on: all but its times."""
    evidence = [(each.says, each.lines) for each in detection.evidence]
    return detection.verdict, detection.observed, evidence, detection.facts
