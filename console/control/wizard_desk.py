"""The console's hands on a wizard: it reads an incident's journal, answers, and starts the worker.

Everything here may take long, so a screen calls it in a thread. Reading needs nothing and writes
nothing: without an incident the symptom is looked at from here, and nothing of that is recorded.
Every deed that writes takes the permit that the armed console gave out, and holds the incident's
lease until the worker takes it over or the screen is left. What changes files runs in the worker,
which needs no console.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from console.control.armed import Permit
from console.control.wizard_view import CHANGES, Preview, WizardView
from console.control.wizard_void import VoidWatch
from console.keymap import WIZARD_ANSWER
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.incidents import WizardState
from runbook.change.plan import Draft, Plan
from runbook.change.preview import diff_lines
from runbook.change.undo import last_undoable
from runbook.commands.consenting import last_words
from runbook.probes.actor import actor_name
from runbook.probes.evidence import Detection, Diagnosis, Verdict
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.wizard import dialogue as wizard
from runbook.wizard import worker
from runbook.wizard.detecting import detect_one
from runbook.wizard.diagnosing import diagnose_only
from runbook.wizard.dialogue import Standing, Work, next_move
from runbook.wizard.incident import Incident, incident_ids, load_incident
from runbook.wizard.planning import Planning
from runbook.wizard.refusals import refused
from runbook.wizard.session import Session, open_session


class WizardDesk:
    """One wizard: that of a symptom, or an incident re-opened.

    A symptom whose incident is still open goes on there. ``start`` starts a worker.
    """

    def __init__(
        self,
        root: Path,
        symptoms: tuple[Symptom, ...],
        *,
        symptom_id: str | None = None,
        incident_id: str | None = None,
        start: Callable[[Incident, str], subprocess.Popen[bytes]] | None = None,
    ) -> None:
        self._workspace = Workspace(root)
        self._symptom = next((each for each in symptoms if each.id == symptom_id), None)
        self._session: Session | None = None
        self._lease: ExitStack | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self._ended: int | None = None
        self._start = start or worker.start
        self._detection: Detection | None = None
        self._diagnosis: Diagnosis | None = None
        self._preview: Preview | None = None
        self._void = VoidWatch(root)
        if incident_id is not None:
            incident = load_incident(root, incident_id)
            self._symptom = next((each for each in symptoms if each.id == incident.symptom_id), None)
            self._session = Session(self._workspace, incident, self._symptom)
        elif self._symptom is None:
            raise refused(
                "no_wizard", f"{symptom_id} has no wizard.", "Act by hand: b shows the commands to run."
            )

    # Looking

    def look(self) -> WizardView:
        """Where it stands now. Raises IntegrityError for a broken journal."""
        if self._session is None:
            self._find_open_incident()
        return self._look_at_symptom() if self._session is None else self._look_at_incident(self._session)

    def look_for_cause(self) -> None:
        """Probe and classify from here. Nothing is written."""
        if self._symptom is not None and self._detection is not None:
            _, self._diagnosis = diagnose_only(self._workspace, self._symptom, self._detection)

    def look_anew(self) -> None:
        """Forget what was seen from here."""
        self._detection = self._diagnosis = self._preview = None
        self._void.forget()

    def _find_open_incident(self) -> None:
        """The latest incident of this symptom from which somebody has to go on.

        A mitigated one is done with when the symptom rings again: what rings now is another case.
        """
        if self._symptom is None:
            return
        for incident_id in reversed(incident_ids(self._workspace.root)):
            incident = Incident(self._workspace.root, incident_id)
            if incident.symptom_id != self._symptom.id:
                continue
            session = Session(self._workspace, incident, self._symptom)
            try:
                standing = session.standing
            except OperatorError:
                continue  # the record is damaged: the list of incidents shows it
            if standing.is_over or not standing.entries:
                continue
            if standing.state == "mitigated" and self._see().verdict is Verdict.DETECTED:
                return
            self._session = session
            return

    def _see(self) -> Detection:
        if self._detection is None and self._symptom is not None:
            self._detection = detect_one(self._workspace, self._symptom)
        if self._detection is None:
            raise refused("no_symptom", "There is no symptom to look at.", "See: distill incident list")
        return self._detection

    def _look_at_symptom(self) -> WizardView:
        symptom, seen = self._symptom, self._see()
        if symptom is None:
            raise refused("no_symptom", "There is no symptom to look at.", "See: distill incident list")
        standing = Standing(
            symptom_id=symptom.id, detection=seen, diagnosis=self._diagnosis, state=_state_of(self._diagnosis)
        )
        offers = symptom.offers(seen, self._diagnosis)
        move = None if seen.verdict is Verdict.CLEAR else next_move(standing, offers)
        if self._preview is None and self._diagnosis is None:
            self._preview = self._trial(symptom, seen)
        return WizardView(
            symptom_id=symptom.id,
            severity=symptom.severity,
            title=symptom.title,
            why=symptom.why,
            standing=standing,
            move=move,
            offers=offers,
            preview=self._preview if self._diagnosis is None else None,
        )

    def _trial(self, symptom: Symptom, seen: Detection) -> Preview | None:
        """What containment would do: it is read before anything is opened or looked for."""
        immediate = next((each for each in symptom.offers(seen, None) if each.immediate), None)
        if immediate is None or immediate.questions:
            return None
        trial = Planning(self._workspace, "trial", symptom.id, actor_name(), time.time())
        try:
            draft: Draft = immediate.make(trial, {})
        except OperatorError:
            return None
        return Preview(draft.plan, is_trial=True)

    def _look_at_incident(self, session: Session) -> WizardView:
        entries = tuple(session.incident.journal.entries())
        standing = wizard.fold(entries)
        offers = session.offers(standing)
        move = next_move(standing, offers)
        running = self._is_running()
        ends = move is None or _asks(move, wizard.AFTERWARDS) or _asks(move, wizard.OFFER)
        undoable = last_undoable(entries) if ends else None
        symptom, facts = session.symptom, session.incident.facts
        waits = _asks(move, wizard.CONSENT) or (move in CHANGES and not running)
        watched = standing.plan if waits and not standing.has_open_intent else None
        return WizardView(
            symptom_id=standing.symptom_id,
            severity=symptom.severity if symptom else None,
            title=symptom.title if symptom else str(facts.get("title") or ""),
            why=symptom.why if symptom else "",
            incident_id=session.incident.id,
            standing=standing,
            move=move,
            offers=offers,
            preview=self._preview_of(session, standing.plan),
            void=self._void.why(watched, standing.applied)
            if watched and not standing.has_open_intent
            else "",
            holder=None if self._lease is not None else session.incident.lease_holder(),
            running=running,
            entries=entries,
            undoable=undoable.title if undoable else "",
            last_words=tuple(last_words(session.incident).splitlines()) if self._ended else (),
        )

    def _preview_of(self, session: Session, plan: Plan | None) -> Preview | None:
        if plan is None:
            self._preview = None
        elif self._preview is None or self._preview.is_trial or self._preview.plan.hash != plan.hash:
            lines = diff_lines(self._workspace, session.incident, plan)
            self._preview = Preview(plan, tuple(lines))
        return self._preview

    def _is_running(self) -> bool:
        if self._worker is not None and self._worker.poll() is not None:
            self._ended = self._worker.returncode
            self._worker = None
        return self._worker is not None

    # Deeds

    def answer(self, permit: Permit, question_id: str, value: str) -> None:
        """Answer what is asked; the first answer opens the incident. Raises what it meets on the way."""
        session = self._acting(permit)
        session.answer(question_id, value)
        self._work_on(session)

    def go_on(self, permit: Permit) -> None:
        """The work that is next: here what only reads and copies, in the worker what changes files."""
        session = self._acting(permit)
        if session.move in CHANGES:
            self._carry_out(session)
        else:
            self._work_on(session)

    def consent(self, permit: Permit, plan_hash: str, typed: str, reason: str) -> None:
        """Agree to just this plan and have it carried out. Raises PlanVoidError when a file moved."""
        session = self._acting(permit)
        standing = session.standing
        if standing.plan is None or standing.plan.hash != plan_hash:
            raise worker.another_plan(session.incident.id)
        self._void.forget()
        if why := self._void.why(standing.plan, standing.applied):
            raise refused("plan_void", why, "Look at the plan again: it is made anew.")
        session.consent(typed, actor_name(), reason)
        self._carry_out(session)

    def plan_again(self, permit: Permit) -> None:
        """The same way out, from the files as they are now; it needs a consent of its own."""
        session = self._acting(permit)
        standing = session.standing
        if standing.plan is not None and standing.plan.undoes is not None:
            session.plan_taking_back()
        elif standing.offer_id is not None:
            session.choose(standing.offer_id, standing.answers)
        self._work_on(session)

    def take_back(self, permit: Permit) -> None:
        """A plan that takes the last change back; it is previewed and agreed to like any other."""
        session = self._acting(permit)
        session.plan_taking_back()
        self._work_on(session)

    def let_go(self) -> None:
        """Give the incident's lease back. The incident stays where it is."""
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.close()

    def session(self, permit: Permit) -> Session:
        """The incident that is open, or a new one. Raises RefusedError when the symptom does not show."""
        if permit.action_id != WIZARD_ANSWER:
            raise ValueError(f"a permit for {permit.action_id} opens no incident")
        if self._session is None:
            self._find_open_incident()
        if self._session is None:
            self._session = self._open()
        return self._session

    def _acting(self, permit: Permit) -> Session:
        """The session with its lease held; opened on the first deed. Raises WorkspaceLockedError."""
        opened = self._session is None
        session = self.session(permit)
        if self._lease is None:
            lease = ExitStack()
            lease.enter_context(session.lease())
            self._lease = lease
        self._ended = None
        if opened and self._diagnosis is not None:
            # What was seen from here is not in the record; what is planned from must be.
            session.diagnose()
        return session

    def _open(self) -> Session:
        symptom, seen = self._symptom, self._see()
        if symptom is None or seen.verdict is Verdict.CLEAR:
            raise refused("not_detected", "The symptom does not show any more.", "Look again: r")
        argv = ["distill", "console", "wizard", symptom.id]
        return open_session(self._workspace, symptom, seen, argv=argv)

    def _work_on(self, session: Session) -> None:
        before = session.standing.plan
        self._work_until_asked(session)
        standing = session.standing
        if standing.plan is not None and standing.plan != before:
            self._void.trust(standing.plan, standing.applied)

    def _work_until_asked(self, session: Session) -> None:
        while isinstance(move := session.move, Work) and move not in CHANGES:
            try:
                session.work()
            except OperatorError:
                # A refusal while planning leads back to the question, with its words.
                if session.move is move:
                    raise

    def _carry_out(self, session: Session) -> None:
        plan = session.standing.plan
        if plan is None:
            raise refused("no_plan", "This incident has no plan.", "Choose a way out first.")
        self.let_go()
        self._worker = self._start(session.incident, plan.hash)


def _asks(move: object, question_id: str) -> bool:
    return getattr(move, "id", None) == question_id


def _state_of(diagnosis: Diagnosis | None) -> WizardState:
    return "detected" if diagnosis is None else "classified"
