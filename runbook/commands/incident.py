"""``distill incident list|show|verify|export|close|prune``: read what happened, check it, pack it, let go."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts.faults import ExitCode, IntegrityError, OperatorError
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.platform.voice import Voice
from pipeline.reading.incidents import NEVER_OPENED, Head, is_never_opened, remembered_heads
from runbook.actions.prune import plan_prune, prunable, title_of
from runbook.change.incident import Incident, known_incidents, load_incident
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.change.refusals import refused
from runbook.commands.consenting import apply_by_hash
from runbook.commands.direct import preview_directly
from runbook.wizard.dialogue import fold
from runbook.wizard.handover import export_incident, page_of, write_page


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root = voice.workspace
    ids = known_incidents(root)
    if arguments.action == "list":
        return _list(root, ids, voice)
    if arguments.action == "prune":
        return _prune(arguments, voice)
    if not arguments.incident:
        if arguments.action == "verify":
            heads = remembered_heads(root)
            known = sorted({*ids, *heads})
            if not known and not voice.json:
                voice.note("0 incidents: there is nothing to verify")
            return max((_verify(Incident(root, each), heads, voice) for each in known), default=0)
        raise refused("no_incident", "No incident was named.", "See all of them: distill incident list")
    incident = load_incident(root, arguments.incident)
    if arguments.action == "show":
        return _show(incident, arguments.step, voice)
    if arguments.action == "verify":
        return _verify(incident, remembered_heads(root), voice)
    if arguments.action == "close":
        return _close(incident, arguments.reason, voice)
    return _export(incident, arguments.out, voice)


def _prune(arguments: argparse.Namespace, voice: Voice) -> int:
    """Delete the originals of one resolved incident, or of all; previewed, agreed to and journalled."""
    root = voice.workspace
    if arguments.plan:
        return apply_by_hash(root, arguments, voice)
    ids = [load_incident(root, arguments.incident).id] if arguments.incident else prunable(root)
    incidents = [Incident(root, each) for each in ids]

    def make(planning: Planning) -> Draft:
        return plan_prune(planning, incidents)

    return preview_directly(root, title_of(ids), make, arguments, voice)


def _close(incident: Incident, reason: str | None, voice: Voice) -> int:
    """Leave it as it is, with a reason; a preview that nobody wants any more, say."""
    if not (reason or "").strip():
        raise refused("close_unexplained", "Closing needs a reason.", "Add --reason WHY.")
    with incident.lease():
        standing = fold(incident.journal.entries())
        if standing.has_open_intent:
            raise refused(
                "intent_open",
                "A change has no outcome yet.",
                f"Settle it first: distill runbook resume {incident.id}",
            )
        incident.journal.append("state", "abandoned", reason=reason, detail={"closed": True})
        write_page(incident, fold(incident.journal.entries()))
    voice.note(f"{incident.id}: closed")
    return ExitCode.OK


def _list(root: Path, ids: Sequence[str], voice: Voice) -> int:
    rows = [_row(Incident(root, incident_id)) for incident_id in reversed(ids)]
    if voice.json:
        voice.out_json({"incidents": rows})
        return ExitCode.OK
    if rows:
        names = ("incident_id", "state", "owner", "title")
        cells = [[visible(str(row[name]), 60) for name in names] for row in rows]
        voice.table(("incident", "state", "owner", "what"), cells)
    else:
        voice.note("No incident yet. Look for symptoms: distill runbook detect")
    return ExitCode.OK


def _row(incident: Incident) -> dict[str, Any]:
    facts = incident.facts
    row: dict[str, Any] = {
        "incident_id": incident.id,
        "symptom_id": incident.symptom_id,
        "title": facts.get("title"),
        "opened_at": facts.get("opened_at"),
    }
    if is_never_opened(incident.folder):
        return {**row, "state": NEVER_OPENED, "owner": str(facts.get("opened_by") or ""), "over": True}
    try:
        standing = fold(incident.journal.entries())
    except OperatorError as error:
        return {**row, "state": "broken", "owner": "", "says": error.fault.what_happened}
    holder = incident.lease_holder()
    return {
        **row,
        "state": standing.state,
        "owner": standing.owner,
        "held_by": None
        if holder is None
        else {"pid": holder.pid, "host": holder.host, "user": holder.user, "since": holder.since},
        "over": standing.is_over,
    }


def _show(incident: Incident, step: int | None, voice: Voice) -> int:
    entries = incident.journal.entries()
    shown = entries if step is None else entries[: max(0, step)]
    standing = fold(shown)
    if voice.json:
        voice.out_json(
            {
                "incident_id": incident.id,
                "state": standing.state,
                "entries": [entry.model_dump(mode="json") for entry in shown],
            }
        )
        return ExitCode.OK
    for line in page_of(incident, standing, shown).splitlines():
        voice.out(line)
    return ExitCode.OK


def _verify(incident: Incident, heads: dict[str, Head], voice: Voice) -> int:
    problems = incident.problems(heads)
    if voice.json:
        voice.out_json(
            {
                "incident_id": incident.id,
                "whole": not problems,
                "problems": [{"line": problem.line, "says": problem.says} for problem in problems],
            }
        )
    elif problems:
        for problem in problems:
            voice.out(f"{incident.id}: entry {problem.line} {problem.says}")
    elif is_never_opened(incident.folder):
        voice.out(f"{incident.id}: never opened: cut off before its first entry, so nothing was done in it")
    else:
        voice.out(f"{incident.id}: {plural(len(incident.journal.entries()), 'entry')}, the chain is intact")
    return ExitCode.CHECK_FAILED if problems else ExitCode.OK


def _export(incident: Incident, out: str | None, voice: Voice) -> int:
    try:
        write_page(incident, fold(incident.journal.entries()))
    except IntegrityError as error:
        # A broken record is what somebody elsewhere may have to see.
        voice.note(f"{error.fault.what_happened} It is packed as it is.")
    target = Path(out) if out else Path.cwd() / f"{incident.id}.tar.gz"
    size, left_out = export_incident(incident, target.absolute())
    if voice.json:
        voice.out_json({"file": str(target), "bytes": size, "left_out": left_out})
    else:
        voice.out(str(target))
        if left_out:
            voice.note(f"{len(left_out)} kept files of more than 1 MiB were left out")
    return ExitCode.OK
