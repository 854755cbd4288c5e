"""The wizard as numbered prompts, for a plain terminal: the same questions as on the screen.

An empty line and a closed input answer nothing. What changes files runs in a process of its own,
so that a terminal that goes away takes nothing with it; ``runbook resume`` comes back to it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.contracts.faults import ExitCode, OperatorError
from pipeline.contracts.untrusted import visible
from pipeline.platform.detached import Detached
from pipeline.platform.identity import user_name
from pipeline.platform.voice import Voice
from runbook.change.plan import Plan
from runbook.change.refusals import PlanVoidError
from runbook.change.undo import last_undoable
from runbook.probes.evidence import Diagnosis
from runbook.symptom import Question
from runbook.tell.cause import diagnosis_blocks
from runbook.tell.layout import plain_lines
from runbook.tell.plan import plan_blocks
from runbook.wizard import dialogue as wizard
from runbook.wizard import worker
from runbook.wizard.dialogue import CHANGES, DOING
from runbook.wizard.driver import Driver
from runbook.wizard.preview import diff_lines
from runbook.wizard.session import WizardSession
from runbook.wizard.to_commit import commit_command

Reader = Callable[[], str]
"""One line of input with its line end; empty at the end of input."""


def read_line(prompt: str = "> ") -> str:
    Voice().prompt(prompt)
    return sys.stdin.readline()


def converse(
    driver: Driver,
    voice: Voice,
    *,
    who: str | None = None,
    reason: str | None = None,
    read: Reader = read_line,
) -> int:
    """Ask until the incident is over or nobody answers. Exit 11 when a question is left open."""
    session = driver.open()
    driver.tell = lambda work: voice.note(f"… {DOING[work]}")
    driver.workspace.tell = lambda words: voice.note(f"… {words}")
    voice.note(driver.whose() or f"incident {session.incident.id}")
    prompts = _Prompts(driver, session, voice, who, reason, read)
    while True:
        with driver.acting():
            code = prompts.talk()
        if code is not None:
            return code
        voice.note("applying; it goes on if this terminal goes away")
        started = driver.carry_out()
        ended = worker.wait(started)
        report_end(session, ended, voice, started)
        if ended != ExitCode.OK and session.move in CHANGES:
            return ended


def show_diagnosis(diagnosis: Diagnosis, voice: Voice) -> None:
    for line in plain_lines(diagnosis_blocks(diagnosis.model_dump(mode="json"))):
        voice.out(line)


def show_plan(session: WizardSession, plan: Plan, voice: Voice) -> None:
    """What is read before consent: steps, the real differences, the way back, what the rehearsal showed."""
    rehearsal = session.standing.rehearsal
    shown = rehearsal.model_dump(mode="json") if rehearsal is not None else None
    voice.out(visible(plan.title))
    voice.out(f"incident {session.incident.id} · plan {plan.hash[:12]} · code {plan.code}")
    for line in plain_lines(plan_blocks(plan.model_dump(mode="json"), shown)):
        voice.out(line)
    differences = diff_lines(session.workspace, session.incident, plan)
    for line in ["", *differences] if differences else ():
        voice.out(line)


def report_end(session: WizardSession, code: int, voice: Voice, started: Detached) -> None:
    """How the worker ended, and how to take back what it did."""
    standing, entries = session.standing, session.incident.journal.entries()
    if code == ExitCode.OK:
        voice.out(f"{standing.state}: {session.incident.id}")
        if to_commit := commit_command(session.workspace, session.incident.id, entries):
            voice.note("the repaired files differ from HEAD; record them:")
            voice.note(f"  {visible(to_commit)}")
    else:
        voice.out(f"{standing.state}, exit {code}: {session.incident.id}")
        for line in worker.why_it_ended(session, started).splitlines():
            voice.note(visible(line))
    if last_undoable(entries) is not None:
        voice.note(f"undo: distill undo {session.incident.id}")


@dataclass
class _Prompts:
    """``told`` is how many entries the record had when it was shown last."""

    driver: Driver
    session: WizardSession
    voice: Voice
    who: str | None
    reason: str | None
    read: Reader
    told: int = 0

    def talk(self) -> int | None:
        """Until something changes files (None), or it is over (the exit code)."""
        self.driver.work_until_asked()
        while True:
            move = self.session.move
            if move is None:
                return self._over()
            try:
                if not isinstance(move, Question):
                    if not (why := self.driver.why_void(self.session.standing)):
                        return None
                    self.voice.note(f"{visible(why)} It is planned again.")
                    self._plan_again()
                elif (answer := self._asked(move)) is None:
                    resume = f"distill runbook resume {self.session.incident.id}"
                    self.voice.note(f"left open; go on with: {resume}")
                    return ExitCode.APPROVAL_NEEDED
                else:
                    self._take(move, answer)
            except PlanVoidError as error:
                self._say(error)
                self._plan_again()
            except OperatorError as error:
                if self.session.move in CHANGES:
                    raise
                self._say(error)

    def _plan_again(self) -> None:
        try:
            self.driver.plan_again()
        except OperatorError as error:
            if self.session.move in CHANGES:
                raise
            self._say(error)

    def _asked(self, question: Question) -> str | None:
        if self.session.standing.entries != self.told:
            self._show(question)
            self.told = self.session.standing.entries
        return self._ask(question)

    def _show(self, question: Question) -> None:
        standing = self.session.standing
        if question.id == wizard.CONSENT and standing.plan is not None:
            show_plan(self.session, standing.plan, self.voice)
        elif standing.diagnosis is not None:
            show_diagnosis(standing.diagnosis, self.voice)
        elif standing.detection is not None:
            self.voice.out(visible(standing.detection.observed, 300))

    def _ask(self, question: Question) -> str | None:
        """The answer's value; None at the end of input. An empty line asks again."""
        self.voice.out("")
        self.voice.out(visible(question.text))
        if question.help:
            self.voice.out(f"  {visible(question.help, 500)}")
        for number, (_, meaning) in enumerate(question.choices, start=1):
            self.voice.out(f"  {number}  {visible(meaning)}")
        while True:
            line = self.read()
            if not line:
                return None
            typed = line.strip()
            if not typed and question.default is not None:
                return question.default
            if question.choices and typed.isdecimal() and 1 <= int(typed) <= len(question.choices):
                return question.choices[int(typed) - 1][0]
            if typed:
                return typed

    def _take(self, question: Question, answer: str) -> None:
        plan = self.session.standing.plan
        if question.id != wizard.CONSENT or answer == wizard.BACK or plan is None:
            self.driver.answer(question.id, answer)
            return
        why = self.reason or self._ask(Question(wizard.REASON, "Why? It goes into the record."))
        self.driver.consent(plan.hash, answer, self.who or user_name(), why or "")

    def _say(self, error: OperatorError) -> None:
        for line in error.fault.as_lines():
            self.voice.note(line)

    def _over(self) -> int:
        state = self.session.standing.state
        self.voice.out(f"{self.session.incident.id}: {state}")
        self.voice.note(f"the record: distill incident show {self.session.incident.id}")
        return ExitCode.OK if state in ("resolved", "mitigated") else ExitCode.CHECK_FAILED
