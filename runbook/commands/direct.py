"""What an operator does by hand, with a wizard's care: an incident, a preview, a journal."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from pipeline.contracts.faults import OperatorError
from runbook.change.apply import refuse_when_changed
from runbook.change.plan import Draft
from runbook.commands.consenting import prepare, preview_or_ask
from runbook.probes.workspace import Workspace
from runbook.tell.voice import Voice
from runbook.wizard.dialogue import Work
from runbook.wizard.incident import Incident, incident_ids
from runbook.wizard.planning import Planning
from runbook.wizard.refusals import refused
from runbook.wizard.session import Session, open_session


def relative_to(root: Path, given: str | None) -> str:
    """``given`` as a path below the workspace, whether named from its root or from here."""
    if not given:
        raise refused(
            "no_path", "No file was named.", "Name one: exports/sft/instruction_response.jsonl, say."
        )
    if not Path(given).is_absolute() and os.path.lexists(root / given):
        return os.path.normpath(given)
    # Not resolve(): a link must be seen as the link it is.
    absolute = os.path.normpath(Path.cwd() / given)
    try:
        return Path(absolute).relative_to(root).as_posix()
    except ValueError:
        if Path(given).is_absolute():
            raise refused(
                "path_outside", f"{given} is outside the workspace.", f"Name a file below {root}."
            ) from None
    return os.path.normpath(given)


def preview_directly(
    root: Path,
    title: str,
    make: Callable[[Planning], Draft],
    arguments: argparse.Namespace,
    voice: Voice,
) -> int:
    """Make the plan, store it in an incident of its own, rehearse it, show it. Exit 11.

    The same preview asked for again is the same plan, as long as nothing has changed.
    """
    workspace = Workspace(root)
    # Before the incident is opened: a refusal leaves no incident behind.
    make(_trial(workspace))
    session = _standing_preview(workspace, title)
    if session is None:
        name = "-".join((title.split()[0], Path(title.split()[-1]).stem))
        session = open_session(workspace, None, None, title=title, name=name)
        with session.lease():
            session.adopt(make(session.planning()))
            prepare(session)
    return preview_or_ask(session, arguments, voice)


def _standing_preview(workspace: Workspace, title: str) -> Session | None:
    """The latest preview of just this that nobody has consented to, if it still holds."""
    for incident_id in reversed(incident_ids(workspace.root)):
        incident = Incident(workspace.root, incident_id)
        if incident.symptom_id is not None or incident.facts.get("title") != title:
            continue
        session = Session(workspace, incident, None)
        try:
            standing = session.standing
            if (
                standing.is_over
                or standing.plan is None
                or standing.consented
                or isinstance(session.move, Work)
            ):
                return None
            refuse_when_changed(workspace.root, standing.plan, standing.applied)
        except OperatorError:
            return None
        return session
    return None


def _trial(workspace: Workspace) -> Planning:
    return Planning(workspace, "trial", None, "trial", 0.0)


def session_of(root: Path, incident_id: str) -> Session:
    """The incident with its symptom, where it has one."""
    from runbook.wizard.session import reopen_session
    from runbook.wizard.worker import symptoms_for

    return reopen_session(Workspace(root), incident_id, symptoms_for(root, incident_id))
