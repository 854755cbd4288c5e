"""Preview, consent, apply: the same three steps behind every command that changes something.

A preview stores the plan and ends with 11. A script consents by naming the plan's hash, a person
by typing four digits of it. There is no flag that means yes to whatever comes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pipeline.contracts.faults import ExitCode, StorageError
from pipeline.contracts.untrusted import visible
from pipeline.platform import disk
from pipeline.platform.code_question import code_question
from pipeline.platform.detached import Detached
from pipeline.platform.disk_faults import storage_fault
from pipeline.platform.identity import user_name
from pipeline.platform.voice import Voice
from runbook.change.applied import Finished, read_finished
from runbook.change.incident import Incident, known_incidents
from runbook.change.plan import Plan, Rehearsal
from runbook.change.refusals import NOTHING_CHANGED, PlanVoidError, refused
from runbook.change.undo import plans_of
from runbook.probes.workspace import Workspace
from runbook.wizard.dialogue import fold
from runbook.wizard.driver import Driver
from runbook.wizard.prompts import read_line, report_end, show_plan
from runbook.wizard.session import WizardSession
from runbook.wizard.worker import wait, why_it_ended

_SHORTEST_HASH = 12


def find_plan(root: Path, digest: str) -> tuple[Incident, Plan]:
    """The stored plan with this hash, or with this beginning of one. Raises RefusedError."""
    if len(digest) < _SHORTEST_HASH:
        raise refused(
            "hash_too_short", f"{digest!r} is too short.", f"Give {_SHORTEST_HASH} characters or more."
        )
    unread: StorageError | None = None
    for incident_id in reversed(known_incidents(root)):
        incident = Incident(root, incident_id)
        try:
            if digest[:_SHORTEST_HASH].encode() not in _journal_bytes(incident):
                continue
        except OSError as error:  # another one may hold it
            unread = storage_fault(error, incident.journal.path, NOTHING_CHANGED, doing="read")
            continue
        for plan in reversed(plans_of(incident.journal.entries())):
            if plan.hash.startswith(digest):
                return incident, plan
    if unread is not None:
        raise unread
    raise refused(
        "no_such_plan", f"No incident holds a plan {digest[:16]}.", "Make one: distill runbook plan SYMPTOM"
    )


def _journal_bytes(incident: Incident) -> bytes:
    try:
        return disk.read_plain(incident.journal.path)
    except FileNotFoundError:
        return b""


def preview_or_ask(driver: Driver, arguments: argparse.Namespace, voice: Voice) -> int:
    """Show the plan, and let a person at a terminal consent by its code. Exit 11 without consent."""
    session = driver.open()
    _say_whose(driver, voice)
    standing = session.standing
    plan = standing.plan
    if plan is None:
        return ExitCode.NOT_EVALUABLE
    if voice.json:
        voice.out_json(_plan_data(session.incident.id, plan, standing.rehearsal))
    else:
        show_plan(session, plan, voice)
    if voice.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        voice.note(f"approval needed: {plan.command}")
        return ExitCode.APPROVAL_NEEDED
    voice.note(code_question(plan.code, "apply it", "nothing is changed", reason=True))
    # The end of input is an empty answer, which agrees to nothing.
    if read_line("code> ").strip() != plan.code:
        voice.note("Nothing was changed.")
        return ExitCode.APPROVAL_NEEDED
    reason = arguments.reason or read_line("reason> ").strip()
    return _consent_and_apply(driver, plan, arguments.approve_as or user_name(), reason, voice)


def _say_whose(driver: Driver, voice: Voice) -> None:
    if told := driver.whose():
        voice.note(told)


def apply_by_hash(root: Path, arguments: argparse.Namespace, voice: Voice) -> int:
    """``--plan HASH --approve-as NAME --reason WHY``. Raises RefusedError when a part is missing."""
    if not (arguments.approve_as and arguments.reason):
        raise refused(
            "consent_unexplained", "Consent needs a name and a reason.", "Add --approve-as NAME --reason WHY."
        )
    incident, plan = find_plan(root, arguments.plan)
    if (finished := read_finished(incident.journal.entries(), plan)) is not None and finished.is_good:
        return _say_finished(incident, plan, finished, voice)
    workspace = Workspace(root)
    # Without its symptom: direct commands work while the symptoms are broken.
    driver = Driver(workspace, None, WizardSession(workspace, incident, None))
    _say_whose(driver, voice)
    return _consent_and_apply(driver, plan, arguments.approve_as, arguments.reason, voice)


def _say_finished(incident: Incident, plan: Plan, finished: Finished, voice: Voice) -> int:
    """What was done is not done again. Raises PlanVoidError for a plan that was taken back since."""
    done = "undone" if plan.undoes is not None else "applied"
    if finished.taken_back_at is not None:
        raise PlanVoidError.of(
            "taken_back",
            f"{visible(plan.title)}: applied at {finished.at}, and undone at {finished.taken_back_at}.",
            NOTHING_CHANGED,
            "Make the plan again and look at it again: distill runbook plan, or the wizard.",
        )
    says = f"already {done} at {finished.at} ({visible(plan.title)}); nothing was changed"
    if voice.json:
        state = fold(incident.journal.entries()).state
        voice.out_json(
            {
                "incident_id": incident.id,
                "state": state,
                "exit_code": int(ExitCode.OK),
                "steps_done": len(plan.steps),
                "says": says,
            }
        )
    else:
        voice.out(f"{says}: {incident.id}")
    return ExitCode.OK


def _consent_and_apply(driver: Driver, plan: Plan, who: str, reason: str, voice: Voice) -> int:
    """Journal the consent, carry the plan out in a process of its own, and say how it ended."""
    with driver.acting() as session:
        driver.consent(plan.hash, plan.hash, who, reason)
    process = driver.carry_out()
    try:
        code = wait(process)
    except KeyboardInterrupt:
        voice.note(f"Runs detached; watch it: distill incident show {session.incident.id}")
        raise
    if voice.json:
        voice.out_json(_end_data(session, code, process))
    else:
        report_end(session, code, voice, process)
    return code


def _plan_data(incident_id: str, plan: Plan, rehearsal: Rehearsal | None) -> dict[str, Any]:
    return {
        "incident_id": incident_id,
        "plan_hash": plan.hash,
        "code": plan.code,
        "plan": plan.model_dump(mode="json"),
        "rehearsal": rehearsal.model_dump(mode="json") if rehearsal else None,
        "command": plan.command,
    }


def _end_data(session: WizardSession, code: int, process: Detached) -> dict[str, Any]:
    standing = session.standing
    return {
        "incident_id": session.incident.id,
        "state": standing.state,
        "exit_code": code,
        "steps_done": sum(record.done for record in standing.applied.steps.values()),
        "says": why_it_ended(session, process),
    }
