"""Taking a plan back is a plan like any other: previewed, consented to, journalled, verified.

It goes through the steps in reverse, from what each one left to what it found. A file that has
changed since is refused: its new bytes are somebody's. Where rows were appended to an append-only
file, the undo cuts them off if nothing followed them, and otherwise appends a row that revokes
them, and says which.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.incidents import IncidentEntry
from pipeline.contracts.moments import precise_utc
from pipeline.contracts.untrusted import visible
from runbook.change.applied import StepRecord, expected_states, read_applied, second_of
from runbook.change.file_step import differs
from runbook.change.files import prefix_digest, read_bytes, state_of
from runbook.change.incident import Incident
from runbook.change.plan import (
    AppendLine,
    Draft,
    FileState,
    Kept,
    Plan,
    PruneKept,
    RemoveFile,
    RenameFile,
    RunCommand,
    Step,
    TruncateFile,
    WriteFile,
)
from runbook.change.planning import Planning
from runbook.change.prune_step import PRUNED, pruned_since
from runbook.change.refusals import RefusedError, refused


def plans_of(entries: Sequence[IncidentEntry]) -> list[Plan]:
    """Every plan that the journal holds, in order."""
    return [
        Plan.model_validate_json(json.dumps(entry.detail["plan"]))
        for entry in entries
        if entry.kind == "planned" and "plan" in entry.detail
    ]


def last_undoable(entries: Sequence[IncidentEntry]) -> Plan | None:
    """The latest plan that changed something and was not taken back since."""
    plans = plans_of(entries)
    undone: set[str] = set()
    for plan in reversed(plans):
        applied = read_applied(entries, plan.hash)
        if any(isinstance(step, PruneKept) for step in plan.steps) or pruned_since(entries, plan.hash):
            continue
        if plan.undoes is not None and applied.is_complete(plan):
            undone.add(plan.undoes)
        elif plan.undoes is None and plan.hash not in undone and applied.changed_anything:
            return plan
    return None


def nothing_to_undo(entries: Sequence[IncidentEntry]) -> RefusedError:
    """Why it cannot be undone: it was gone already, it was pruned, or there never was a change."""
    told = (each for each in reversed(entries) if each.detail.get("undone") or PRUNED in each.detail)
    last = next(told, None)
    if last is None:
        return refused("nothing_to_undo", "Nothing here can be undone.", "See: distill incident list")
    if last.detail.get("undone"):
        title = next((each.title for each in plans_of(entries) if each.hash == last.plan_hash), "")
        return refused(
            "already_undone",
            f"Already undone at {second_of(last)} ({visible(title)}).",
            f"See: distill incident show {last.incident_id}",
        )
    return refused(
        "originals_pruned",
        f"The originals were pruned at {second_of(last)} by {last.actor}: "
        f"{last.reason or 'no reason given'}.",
        "What is committed can be had from git: distill restore PATH",
    )


def plan_undo(planning: Planning, incident: Incident, plan: Plan) -> Draft:
    """The way back. Raises RefusedError when a file has changed since, or cannot be taken back."""
    entries = incident.journal.entries()
    applied = read_applied(entries, plan.hash)
    if applied.open_step is not None:
        raise refused(
            "intent_open",
            f"Step {applied.open_step + 1} has no outcome yet.",
            f"Settle it first: distill runbook apply --plan {plan.hash}",
        )
    if pruned_since(entries, plan.hash) is not None:
        raise nothing_to_undo(entries)
    root = planning.workspace.root
    appended = {path for step in plan.steps if isinstance(step, RunCommand) for path in step.appends}
    appended |= {step.path for step in plan.steps if isinstance(step, AppendLine)}
    final = expected_states(plan, applied)
    touched = {path for record in applied.steps.values() for path in record.after}
    for path in sorted(touched):
        found = state_of(root, path)
        if found != final[path] and not (path in appended and _grew(root, path, final[path], found)):
            raise refused(
                "changed_since",
                f"{path} has changed since: {differs(final[path], found)}.",
                "Keep what is there and decide by hand; the original is in the incident's folder, "
                f"kept/{(final[path].sha256 or '')[:12]}…",
                path,
            )
    steps: list[Step] = []
    notes: list[str] = []
    for index in sorted(applied.steps, reverse=True):
        steps += _back(planning, plan.steps[index], applied.steps[index], appended, notes)
    if not steps:
        raise refused("nothing_to_undo", "That plan changed nothing.", "See: distill incident list")
    return planning.draft(
        "undo",
        f"Undo: {plan.title}",
        steps,
        undo="Apply the same changes again.",
        undoes=plan.hash,
        notes=notes,
    )


def _grew(root: Path, path: str, then: FileState, now: FileState) -> bool:
    if then.bytes is None or now.bytes is None or now.bytes < then.bytes:
        return False
    return prefix_digest(root, path, then.bytes) == then.sha256


def _back(
    planning: Planning, step: Step, record: StepRecord, appended: set[str], notes: list[str]
) -> list[Step]:
    if isinstance(step, RenameFile):
        if record.before == record.after:
            return []
        state = record.after[step.to]
        back = f"mv -n {shlex.quote(step.to)} {shlex.quote(step.path)}"
        return [
            RenameFile(
                path=step.to,
                to=step.path,
                before=state,
                says=f"Rename {step.to} back to {step.path}.",
                by_hand=back,
            )
        ]
    steps: list[Step] = []
    for path in sorted(record.after, reverse=True):
        before, after = record.before[path], record.after[path]
        if before == after:
            continue
        if path in appended and not before.is_absent:
            steps += _cut(planning, path, before, after, notes)
        elif before.is_absent:
            folders = tuple(
                folder for folder in sorted(record.folders, reverse=True) if path.startswith(f"{folder}/")
            )
            steps.append(
                RemoveFile(
                    path=path, before=after, folders=folders, says=f"Take {path} away: it was not there."
                )
            )
        elif before.sha256 is not None:
            says = f"Put {path} back as it was." if not after.is_absent else f"Put {path} back."
            steps.append(_put_back(path, after, before, says))
    return steps


def _put_back(path: str, now: FileState, then: FileState, says: str) -> WriteFile:
    return WriteFile(path=path, before=now, after=then, content=Kept(sha256=then.sha256 or ""), says=says)


def _cut(planning: Planning, path: str, before: FileState, after: FileState, notes: list[str]) -> list[Step]:
    root = planning.workspace.root
    now = state_of(root, path)
    if prefix_digest(root, path, before.bytes or 0) != before.sha256:
        # Not appended to, after all (rotated, say): its bytes are put back like any other's.
        return [_put_back(path, after, before, f"Put {path} back as it was.")]
    if now == after:
        notes.append(f"nothing followed in {path}: the appended rows are cut off")
        return [
            TruncateFile(path=path, before=after, after=before, says=f"Cut the appended rows off {path}.")
        ]
    if path != str(paths.AUDIT_BASELINES):
        what, then = f"Rows were appended to {path} since", "Keep them; they do no harm."
        if path == str(paths.JOURNAL_MEMORY):
            what = f"An audit followed in {path}, which read the journals as they were adopted"
            then = "To have other bytes believed, put them there, then: distill baseline adopt --note WHY"
        raise refused("rows_followed", f"{what}, and its rows cannot be revoked.", then, path)
    notes.append(f"rows followed in {path}: a row that revokes is appended instead")
    data = read_bytes(root, path)[before.bytes or 0 : after.bytes]
    steps: list[Step] = []
    state, whole = now, read_bytes(root, path)
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        text = _revocation(planning, hashlib.sha256(line).hexdigest())
        whole += text.encode() + b"\n"
        renewed = FileState(sha256=hashlib.sha256(whole).hexdigest(), bytes=len(whole), mode=now.mode)
        steps.append(
            AppendLine(
                path=path, line=text, before=state, after=renewed, says=f"Append a revocation to {path}."
            )
        )
        state = renewed
    return steps


def _revocation(planning: Planning, line_digest: str) -> str:
    row = {
        "schema_version": 1,
        "kind": "revoke",
        "pipeline_run_id": None,
        "run_hash": None,
        "metrics": {},
        "denominators": {},
        "breakdown": {},
        "decided_metrics": [],
        "notes": f"undone in incident {planning.incident_id}",
        "actor": planning.actor,
        "revokes": line_digest,
        "recorded_at": precise_utc(planning.now),
    }
    return json.dumps(row, ensure_ascii=False)
