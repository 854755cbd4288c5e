"""Preview, consent, apply: the same three steps behind every command that changes something.

A preview stores the plan and ends with 11. A script consents by naming the plan's hash, a person
by typing four digits of it. There is no flag that means yes to whatever comes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible
from runbook.change.plan import Plan, Rehearsal
from runbook.change.preview import diff_lines, step_lines
from runbook.change.undo import last_undoable, plans_of
from runbook.probes.actor import actor_name
from runbook.probes.workspace import Workspace
from runbook.tell.voice import Voice
from runbook.wizard import worker
from runbook.wizard.dialogue import Work
from runbook.wizard.incident import Incident, incident_ids
from runbook.wizard.refusals import refused
from runbook.wizard.session import Session

_SHORTEST_HASH = 12


def add_consent_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plan", metavar="HASH", help="carry out the plan with this hash (from the preview)")
    parser.add_argument("--approve-as", metavar="NAME", help="who consents to it")
    parser.add_argument("--reason", metavar="WHY", help="why")


def find_plan(root: Path, digest: str) -> tuple[Incident, Plan]:
    """The stored plan with this hash, or with this beginning of one. Raises RefusedError."""
    if len(digest) < _SHORTEST_HASH:
        raise refused(
            "hash_too_short", f"{digest!r} is too short.", f"Give {_SHORTEST_HASH} characters or more."
        )
    for incident_id in reversed(incident_ids(root)):
        incident = Incident(root, incident_id)
        if digest[:_SHORTEST_HASH].encode() not in _journal_bytes(incident):
            continue
        for plan in reversed(plans_of(incident.journal.entries())):
            if plan.hash.startswith(digest):
                return incident, plan
    raise refused(
        "no_such_plan", f"No incident holds a plan {digest[:16]}.", "Make one: distill runbook plan"
    )


def _journal_bytes(incident: Incident) -> bytes:
    try:
        return incident.journal.path.read_bytes()
    except OSError:
        return b""


def show_plan(session: Session, voice: Voice) -> None:
    """The preview: steps, differences, rehearsal, undo, and how to go on."""
    standing = session.standing
    plan = standing.plan
    if plan is None:
        return
    if voice.json:
        voice.out_json(plan_data(session.incident.id, plan, standing.rehearsal))
        return
    voice.out(f"{visible(plan.title)}")
    voice.out(f"incident {session.incident.id} · plan {plan.hash[:12]} · code {plan.code}")
    for line in step_lines(plan):
        voice.out(line)
    if differences := diff_lines(session.workspace, session.incident, plan):
        voice.out("")
        for line in differences:
            voice.out(line)
    voice.out("")
    for note in plan.notes:
        voice.out(f"note: {visible(note)}")
    voice.out(f"undo: {visible(plan.undo)}")
    voice.out(f"rehearsed: {rehearsal_words(plan, standing.rehearsal)}")
    if plan.verify:
        voice.out(f"verified by: the detector of {plan.verify}")


def rehearsal_words(plan: Plan, rehearsal: Rehearsal | None) -> str:
    """What the rehearsal of the undo showed, in one line."""
    if rehearsal is None:
        return "not yet" if plan.needs_rehearsal else "not needed; a rename takes itself back"
    word = "yes" if rehearsal.ok else "FAILED"
    return f"{word}; {visible(rehearsal.detail)} ({rehearsal.took_seconds:.1f} s)"


def plan_data(incident_id: str, plan: Plan, rehearsal: Rehearsal | None) -> dict[str, Any]:
    """The preview for machines."""
    return {
        "incident_id": incident_id,
        "plan_hash": plan.hash,
        "code": plan.code,
        "plan": plan.model_dump(mode="json"),
        "rehearsal": rehearsal.model_dump(mode="json") if rehearsal else None,
        "command": plan.command,
    }


def prepare(session: Session) -> None:
    """Rehearse what needs it, so that the consent can be asked."""
    if session.move is Work.REHEARSE:
        session.work()


def preview_or_ask(session: Session, arguments: argparse.Namespace, voice: Voice) -> int:
    """Show the plan, and let a person at a terminal consent by its code. Exit 11 without consent."""
    show_plan(session, voice)
    plan = session.standing.plan
    if plan is None:
        return ExitCode.NOT_EVALUABLE
    if voice.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        voice.note(f"approval needed: {plan.command}")
        return ExitCode.APPROVAL_NEEDED
    voice.note(f"Type {plan.code} to carry it out; anything else leaves everything as it is.")
    typed = _line("code> ")
    if typed != plan.code:
        voice.note("Nothing was changed.")
        return ExitCode.APPROVAL_NEEDED
    reason = arguments.reason or _line("why> ")
    return consent_and_apply(session, plan, arguments.approve_as or actor_name(), reason, voice)


def _line(prompt: str) -> str:
    """One typed line; the end of input is an empty answer, which agrees to nothing."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def apply_by_hash(root: Path, arguments: argparse.Namespace, voice: Voice) -> int:
    """``--plan HASH --approve-as NAME --reason WHY``. Raises RefusedError when a part is missing."""
    if not (arguments.approve_as and arguments.reason):
        raise refused(
            "consent_unexplained", "Consent needs a name and a reason.", "Add --approve-as NAME --reason WHY."
        )
    incident, plan = find_plan(root, arguments.plan)
    session = Session(Workspace(root), incident, None)
    return consent_and_apply(session, plan, arguments.approve_as, arguments.reason, voice)


def consent_and_apply(session: Session, plan: Plan, who: str, reason: str, voice: Voice) -> int:
    """Journal the consent, carry the plan out in a process of its own, and say how it ended."""
    with session.lease():
        standing = session.standing
        if standing.plan is None or standing.plan.hash != plan.hash:
            raise worker.another_plan(session.incident.id)
        if not standing.consented:
            session.consent(plan.hash, who, reason)
    process = worker.start(session.incident, plan.hash)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        voice.note(f"It goes on without you: distill incident show {session.incident.id}")
        raise
    report_end(session, code, voice)
    return code


def report_end(session: Session, code: int, voice: Voice) -> None:
    standing = session.standing
    if voice.json:
        voice.out_json(
            {
                "incident_id": session.incident.id,
                "state": standing.state,
                "exit_code": code,
                "steps_done": sum(record.done for record in standing.applied.steps.values()),
                "says": standing.trouble or last_words(session.incident),
            }
        )
        return
    if code == ExitCode.OK:
        voice.out(f"{standing.state}: {session.incident.id}")
        if last_undoable(session.incident.journal.entries()) is not None:
            voice.note(f"take it back: distill undo {session.incident.id}")
        return
    voice.out(f"{standing.state}, exit {code}: {session.incident.id}")
    for line in (standing.trouble or last_words(session.incident)).splitlines():
        voice.note(visible(line))


def last_words(incident: Incident) -> str:
    """The fault that the worker ended with, from its log."""
    try:
        lines = (incident.folder / worker.LOG).read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-3:])
