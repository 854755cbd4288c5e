"""What the checks said: the last reports with their age, and the same checks asked again.

A report is as old as its audit. Green stands until the next one, with its age; a red that is
older than a change of what it judged is looked at again before it rings, so that a repair by
whatever hand silences it, and an old report raises nothing that is not so any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import Answer
from pipeline.platform.lenient_json import object_or_empty
from pipeline.platform.process_end import Ended
from pipeline.reading.check_report import Check, CheckReport, checks_of
from pipeline.reading.facts import Facts
from runbook.probes.evidence import Detection, Evidence, Stance
from runbook.probes.looks import Detector, detection_from
from runbook.probes.workspace import Workspace

Asked = TypeVar("Asked")
CHECK_SECONDS = 600.0
_GATE = "P6.acceptance"
Glance = Callable[[Facts], Answer]


@dataclass(frozen=True)
class _Known(Generic[Asked]):
    question: tuple[str, ...]
    asked_at: float
    answer: Asked


class AnswerCache(Generic[Asked]):
    """Remembers an answer until something that it was asked about is touched.

    Detectors look every few seconds, and several at once; what takes seconds to ask is asked once.
    The last answer alone is kept: whoever asks otherwise meanwhile asks anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: _Known[Asked] | None = None

    def answer(self, workspace: Workspace, question: tuple[str, ...], ask: Callable[[], Asked]) -> Asked:
        """What ``ask`` said, now or since the last touch. Raises what ``ask`` raises."""
        whole = (str(workspace.root), *question)
        with self._lock:
            known = self._known
            is_same = known is not None and known.question == whole
            if known is not None and is_same and not workspace.is_touched_since(known.asked_at):
                return known.answer
            asked_at = time.time()
            found = ask()
            self._known = _Known(whole, asked_at, found)
            return found


def look_again(
    workspace: Workspace, ids: Sequence[str], *, seconds: float = CHECK_SECONDS
) -> dict[str, Check]:
    """The checks anew, by the engine in use; no report is written.

    A check that the engine did not answer for is ``error``. Raises SettingsError when the
    workspace's own engine may not be run.
    """
    found: dict[str, Check] = {}
    for command, chosen in (
        ("audit-full", [each for each in ids if not each.startswith("A")]),
        ("acceptance", [each for each in ids if each.startswith("A")]),
    ):
        if chosen:
            words = [word for each in chosen for word in ("--check", each)]
            ran = workspace.engine([command, *words, "--json"], seconds=seconds)
            found |= _asked(ran, command, chosen)
    return found


def red_again(workspace: Workspace, report: CheckReport) -> dict[str, Check]:
    """The report's red checks anew, all in one go: several symptoms ask, and none waits twice.

    The gate is left out. It takes its time, and its symptoms look at its invariants themselves.
    """
    red = tuple(
        each.id for each in report.checks.values() if each.required and each.is_red and each.id != _GATE
    )
    return _AGAIN.answer(workspace, red, lambda: look_again(workspace, red)) if red else {}


_AGAIN = AnswerCache[dict[str, Check]]()


def by_checks(symptom_id: str, checks: Sequence[str], glance: Glance) -> tuple[Detector, Detector]:
    """Two looks for a symptom that these checks tell: by the last audit, and anew.

    Both are the ``glance``, given the checks as they were asked now where that was needed.
    """

    def detect(workspace: Workspace) -> Detection:
        facts = workspace.facts()
        report = facts.audit
        if report is not None and report.red(checks) and facts.is_touched_since(report.finished_at):
            again = red_again(workspace, report)
            facts = replace(
                facts, audit=report.with_checks({each: again[each] for each in checks if each in again})
            )
        return detection_of(symptom_id, checks, glance, facts)

    def rerun(workspace: Workspace) -> Detection:
        return detection_of(symptom_id, checks, glance, asked_now(workspace, checks))

    return detect, rerun


def asked_now(workspace: Workspace, checks: Sequence[str]) -> Facts:
    """The facts with ``checks`` as they are asked now."""
    facts, asked = workspace.facts(), look_again(workspace, checks)
    report = facts.audit or CheckReport({}, facts.now, "distill audit-full")
    return replace(facts, audit=report.with_checks(asked))


def detection_of(symptom_id: str, checks: Sequence[str], glance: Glance, facts: Facts) -> Detection:
    """What ``glance`` says, with the red checks as evidence; where none is red, what it saw."""
    answer = glance(facts)
    red = [each for each in (facts.audit.seen(checks).values() if facts.audit else ()) if each.is_red]
    evidence = tuple(
        Evidence(
            stance=Stance.FOR,
            says=f"{each.id} fails: {each.detail}",
            source=each.source,
            read_at=each.as_of or facts.now,
            lines=each.example_lines,
        )
        for each in red
    )
    if answer.is_detected and not red:
        seen_at = answer.as_of or facts.now
        evidence = (Evidence.of(Stance.FOR, answer.observed, answer.source, seen_at),)
    known = [each.id for each in red] or ([checks[0]] if answer.is_detected else [])
    return detection_from(
        symptom_id,
        answer,
        reproduce=_command(red[0].id if red else checks[0]),
        evidence=evidence if answer.is_detected else (),
        facts={"checks": [*known]},
    )


def _asked(ran: Ended, command: str, ids: Sequence[str]) -> dict[str, Check]:
    now = time.time()
    source = f"distill {command}"
    known = checks_of(object_or_empty(ran.stdout), now, source)
    why = ran.reason
    if ran.exit_code == ExitCode.LOCKED:
        why = f"the workspace is busy: {ran.last_words}"
    missing = {
        each: Check(each, each.split(".")[0], "error", detail=why, as_of=now, source=source)
        for each in ids
        if each not in known
    }
    return known | missing


def _command(check: str) -> str:
    return f"distill {'acceptance' if check.startswith('A') else 'audit-full'} --check {check}"
