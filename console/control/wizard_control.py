"""The console's hands on a wizard: it reads an incident's journal, answers, and starts the worker.

Everything here may take long, so a screen calls it in a thread. Reading needs nothing and writes
nothing: without an incident the symptom is looked at from here, and nothing of that is recorded.
Every deed that writes takes the permit that the armed console gave out, and holds the incident's
lease until the worker takes it over or the screen is left. What changes files runs in the worker,
which needs no console.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from console.control.armed import Permit
from console.control.wizard_view import Preview, WizardView
from console.keymap import WIZARD_ANSWER
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.incidents import IncidentEntry, WizardState
from pipeline.contracts.status import Verdict
from pipeline.platform.detached import Detached
from pipeline.platform.identity import user_name
from runbook.change.plan import Draft, Plan
from runbook.change.planning import Planning
from runbook.change.refusals import refused
from runbook.change.undo import last_undoable
from runbook.probes.evidence import Detection, Diagnosis
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.wizard import dialogue as wizard
from runbook.wizard.dialogue import CHANGES, Standing, next_move
from runbook.wizard.driver import Driver, Start
from runbook.wizard.preview import diff_lines
from runbook.wizard.session import WizardSession
from runbook.wizard.to_commit import commit_command
from runbook.wizard.worker import last_words


class WizardControl:
    """One wizard: that of a symptom, or an incident re-opened.

    A symptom whose incident is still open goes on there. ``start`` starts a worker.
    """

    def __init__(
        self,
        root: Path,
        symptoms: Sequence[Symptom],
        *,
        symptom_id: str | None = None,
        incident_id: str | None = None,
        start: Start | None = None,
    ) -> None:
        if incident_id is not None:
            self._driver = Driver.of_incident(root, incident_id, symptoms, start)
        else:
            symptom = next((each for each in symptoms if each.id == symptom_id), None)
            if symptom is None:
                raise refused(
                    "no_wizard", f"{symptom_id} has no wizard.", "Act by hand: b shows the commands to run."
                )
            argv = ["distill", "console", "wizard", symptom.id]
            self._driver = Driver(Workspace(root), symptom, argv=argv, start=start)
        self.progress = ""
        """How far a long look or a rehearsal is; written by the thread that does it."""
        self._driver.workspace.tell = self._progressed
        self._worker: Detached | None = None
        self._ended: int | None = None
        self._said = ""
        self._preview: Preview | None = None
        self._committed: tuple[tuple[str, int], str] | None = None

    def _progressed(self, words: str) -> None:
        self.progress = words

    # Looking

    def look(self) -> WizardView:
        """Where it stands now. Raises IntegrityError for a broken journal."""
        session = self._driver.find()
        return self._look_at_symptom() if session is None else self._look_at_incident(session)

    def look_for_cause(self) -> None:
        """Probe and classify from here. Nothing is written."""
        self._driver.look_for_cause()

    def look_anew(self) -> None:
        """Forget what was seen from here."""
        self._preview = self._committed = None
        self._driver.look_anew()

    def _look_at_symptom(self) -> WizardView:
        seen, diagnosis, symptom = self._driver.look(), self._driver.diagnosis, self._driver.symptom
        if symptom is None:
            raise refused("no_symptom", "There is no symptom to look at.", "See: distill incident list")
        standing = Standing(
            symptom_id=symptom.id, detection=seen, diagnosis=diagnosis, state=_state_of(diagnosis)
        )
        offers = symptom.offers(seen, diagnosis)
        move = None if seen.verdict is Verdict.CLEAR else next_move(standing, offers)
        if self._preview is None and diagnosis is None:
            self._preview = self._trial(symptom, seen)
        return WizardView(
            symptom_id=symptom.id,
            severity=symptom.severity,
            title=symptom.title,
            why=symptom.why,
            standing=standing,
            move=move,
            offers=offers,
            preview=self._preview if diagnosis is None else None,
        )

    def _trial(self, symptom: Symptom, seen: Detection) -> Preview | None:
        """What containment would do: it is read before anything is opened or looked for."""
        immediate = next((each for each in symptom.offers(seen, None) if each.immediate), None)
        if immediate is None or immediate.questions:
            return None
        trial = Planning(self._driver.workspace, "trial", symptom.id, user_name(), time.time())
        try:
            draft: Draft = immediate.make(trial, {})
        except OperatorError:
            return None
        return Preview(draft.plan, is_trial=True)

    def _look_at_incident(self, session: WizardSession) -> WizardView:
        entries = tuple(session.incident.journal.entries())
        standing = wizard.fold(entries)
        offers = session.offers(standing)
        move = next_move(standing, offers)
        running = self._is_running()
        is_cut_off = move in (wizard.Work.APPLY, wizard.Work.VERIFY) and not running
        ends = move is None or is_cut_off or _asks(move, wizard.AFTERWARDS) or _asks(move, wizard.OFFER)
        undoable = last_undoable(entries) if ends else None
        symptom, facts = session.symptom, session.incident.facts
        waits = _asks(move, wizard.CONSENT) or (move in CHANGES and not running)
        return WizardView(
            symptom_id=standing.symptom_id,
            severity=symptom.severity if symptom else None,
            title=symptom.title if symptom else str(facts.get("title") or ""),
            why=symptom.why if symptom else "",
            incident_id=session.incident.id,
            taken_over=self._driver.taken_over(),
            standing=standing,
            move=move,
            offers=offers,
            preview=self._preview_of(session, standing.plan),
            void=self._driver.why_void(standing) if waits else "",
            holder=None if self._driver.is_acting else session.incident.lease_holder(),
            running=running,
            entries=entries,
            undoable=undoable.title if undoable else "",
            to_commit=self._to_commit(session, entries) if move is None else "",
            last_words=tuple((self._said or last_words(session.incident)).splitlines())
            if self._ended
            else (),
        )

    def _to_commit(self, session: WizardSession, entries: tuple[IncidentEntry, ...]) -> str:
        """Asked once for each state of the journal: git is a process, and the screen is drawn often."""
        known = (session.incident.id, len(entries))
        if self._committed is None or self._committed[0] != known:
            words = commit_command(session.workspace, session.incident.id, entries)
            self._committed = (known, words)
        return self._committed[1]

    def _preview_of(self, session: WizardSession, plan: Plan | None) -> Preview | None:
        if plan is None:
            self._preview = None
        elif self._preview is None or self._preview.is_trial or self._preview.plan.hash != plan.hash:
            lines = diff_lines(session.workspace, session.incident, plan)
            self._preview = Preview(plan, tuple(lines))
        return self._preview

    def _is_running(self) -> bool:
        if self._worker is not None and (code := self._worker.poll()) is not None:
            self._ended, self._said, self._worker = code, self._worker.said(), None
        return self._worker is not None

    # Acting

    def go_on(self, permit: Permit) -> None:
        """The work that is next: here what only reads and copies, in the worker what changes files."""
        driver = self.driver(permit)
        if driver.hold().move in CHANGES:
            self._worker = driver.carry_out()
        else:
            driver.work_until_asked()

    def consent(self, permit: Permit, plan_hash: str, typed: str, reason: str) -> None:
        """Agree to just this plan and have it carried out. Raises PlanVoidError when a file moved."""
        driver = self.driver(permit)
        driver.consent(plan_hash, typed, user_name(), reason)
        self._worker = driver.carry_out()

    def let_go(self) -> None:
        """Give the incident's lease back. The incident stays where it is."""
        self._driver.let_go()

    def driver(self, permit: Permit) -> Driver:
        """The wizard's driver, for whoever was let through by the armed console."""
        if permit.action_id != WIZARD_ANSWER:
            raise ValueError(f"a permit for {permit.action_id} opens no incident")
        self._ended = None
        return self._driver


def _asks(move: object, question_id: str) -> bool:
    return getattr(move, "id", None) == question_id


def _state_of(diagnosis: Diagnosis | None) -> WizardState:
    return "detected" if diagnosis is None else "classified"
