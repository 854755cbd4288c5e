"""The wizard as numbered prompts, for a plain terminal: the same questions as on the screen.

An empty line and a closed input answer nothing. What changes files runs in a process of its own,
so that a terminal that goes away takes nothing with it; ``runbook resume`` comes back to it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from pipeline.contracts.faults import ExitCode, OperatorError
from pipeline.contracts.untrusted import visible
from runbook.probes.actor import actor_name
from runbook.probes.evidence import Cause, Diagnosis, Stance
from runbook.symptom import Question
from runbook.tell.voice import Voice
from runbook.wizard import dialogue as wizard
from runbook.wizard import worker
from runbook.wizard.dialogue import Work
from runbook.wizard.session import Session

_CHANGES = (Work.SETTLE, Work.APPLY, Work.VERIFY)
_DOING = {
    Work.DIAGNOSE: "looking for the cause; nothing is changed",
    Work.PLAN: "making the plan",
    Work.REHEARSE: "rehearsing plan and undo in a copy",
}


Reader = Callable[[], str]
"""One line of input with its line end; empty at the end of input."""


def converse(
    session: Session,
    voice: Voice,
    *,
    who: str | None = None,
    reason: str | None = None,
    read: Reader | None = None,
) -> int:
    """Ask until the incident is over or nobody answers. Exit 11 when a question is left open."""
    voice.note(f"incident {session.incident.id}")
    while True:
        with session.lease():
            code = _talk(session, voice, who, reason, read or _read_line)
        if code is not None:
            return code
        plan = session.standing.plan
        if plan is None:
            return ExitCode.NOT_EVALUABLE
        voice.note("applying; it goes on if this terminal goes away")
        ended = worker.start(session.incident, plan.hash).wait()
        _report(session, ended, voice)
        if ended != ExitCode.OK and session.move in _CHANGES:
            return ended


def _talk(session: Session, voice: Voice, who: str | None, reason: str | None, read: Reader) -> int | None:
    """Until something changes files (None), or it is over (the exit code)."""
    told = 0
    while True:
        move = session.move
        if move is None:
            return _over(session, voice)
        if isinstance(move, Work):
            if move in _CHANGES:
                return None
            voice.note(f"… {_DOING[move]}")
            try:
                session.work()
            except OperatorError as error:
                if session.move is move:
                    raise
                _say_fault(error, voice)
            continue
        if session.standing.entries != told:
            _show(session, move, voice)
            told = session.standing.entries
        answer = _ask(move, voice, read)
        if answer is None:
            voice.note(f"left open; go on with: distill runbook resume {session.incident.id}")
            return ExitCode.APPROVAL_NEEDED
        try:
            _answer(session, move, answer, who, reason, voice, read)
        except OperatorError as error:
            _say_fault(error, voice)


def _show(session: Session, question: Question, voice: Voice) -> None:
    standing = session.standing
    if question.id == wizard.CONSENT:
        from runbook.commands.consenting import show_plan

        show_plan(session, voice)
    elif standing.diagnosis is not None:
        _show_diagnosis(standing.diagnosis, voice)
    elif standing.detection is not None:
        voice.out(visible(standing.detection.observed, 300))


def _show_diagnosis(diagnosis: Diagnosis, voice: Voice) -> None:
    _show_cause(diagnosis.cause, "cause", voice)
    for cause in diagnosis.considered:
        _show_cause(cause, "set aside", voice)
    if diagnosis.see:
        voice.out(f"go on with: distill runbook open {diagnosis.see}")


def _show_cause(cause: Cause, word: str, voice: Voice) -> None:
    voice.out(f"{word}: {visible(cause.sentence)} ({cause.confidence})")
    marks = {Stance.FOR: "for", Stance.AGAINST: "against", Stance.UNKNOWN: "not known"}
    for place in cause.places:
        voice.out(f"  where: {visible(place)}")
    for each in cause.evidence:
        voice.out(f"  {marks[each.stance]}: {visible(each.says)} ({visible(each.source)})")


def _read_line() -> str:
    sys.stderr.write("> ")
    sys.stderr.flush()
    return sys.stdin.readline()


def _ask(question: Question, voice: Voice, read: Reader) -> str | None:
    """The answer's value; None at the end of input. An empty line asks again."""
    voice.out("")
    voice.out(visible(question.text))
    if question.help:
        voice.out(f"  {visible(question.help, 500)}")
    for number, (_, meaning) in enumerate(question.choices, start=1):
        voice.out(f"  {number}  {visible(meaning)}")
    while True:
        line = read()
        if not line:
            return None
        typed = line.strip()
        if not typed and question.default is not None:
            return question.default
        if question.choices and typed.isdecimal() and 1 <= int(typed) <= len(question.choices):
            return question.choices[int(typed) - 1][0]
        if typed:
            return typed


def _answer(
    session: Session,
    question: Question,
    answer: str,
    who: str | None,
    reason: str | None,
    voice: Voice,
    read: Reader,
) -> None:
    if question.id != wizard.CONSENT or answer == wizard.BACK:
        session.answer(question.id, answer)
        return
    why = reason or _ask(Question(wizard.REASON, "Why? It goes into the record."), voice, read)
    session.consent(answer, who or actor_name(), why or "")


def _say_fault(error: OperatorError, voice: Voice) -> None:
    for line in error.fault.as_lines():
        voice.note(line)


def _report(session: Session, ended: int, voice: Voice) -> None:
    from runbook.commands.consenting import report_end

    report_end(session, ended, voice)


def _over(session: Session, voice: Voice) -> int:
    state = session.standing.state
    voice.out(f"{session.incident.id}: {state}")
    voice.note(f"the record: distill incident show {session.incident.id}")
    return ExitCode.OK if state in ("resolved", "mitigated") else ExitCode.CHECK_FAILED
