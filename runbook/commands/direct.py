"""What an operator does by hand, with a wizard's care: an incident, a preview, a journal."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from pipeline.platform.voice import Voice
from runbook.change.incident import Incident
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.change.refusals import refused
from runbook.commands.consenting import preview_or_ask
from runbook.probes.workspace import Workspace
from runbook.symptom import Question
from runbook.wizard.driver import Driver
from runbook.wizard.open_incidents import open_incidents
from runbook.wizard.session import WizardSession, open_session


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
    *,
    plan_where_it_belongs: Callable[[Workspace], Driver | None] = lambda _workspace: None,
) -> int:
    """Make the plan, store it in an incident, rehearse it, show it. Exit 11.

    The incident is its own, unless it belongs to another. The same preview asked for again is the same
    plan, as long as nothing has changed.
    """
    workspace = Workspace(root)
    # Before the incident is opened: a refusal leaves no incident behind.
    make(Planning(workspace, "trial", None, "trial", 0.0))
    driver = plan_where_it_belongs(workspace) or _standing_preview(workspace, title)
    if driver is None:
        name = "-".join((title.split()[0], Path(title.split()[-1]).stem))
        session = open_session(workspace, None, None, title=title, name=name)
        driver = Driver(workspace, None, session)
        with driver.acting():
            driver.plan_by_hand(make)
    return preview_or_ask(driver, arguments, voice)


def _standing_preview(workspace: Workspace, title: str) -> Driver | None:
    """The latest preview of just this that nobody has consented to, if it still holds."""

    def is_same(incident: Incident) -> bool:
        return incident.symptom_id is None and incident.facts.get("title") == title

    for incident, standing in open_incidents(workspace.root, among=is_same):
        session = WizardSession(workspace, incident, None)
        driver = Driver(workspace, None, session)
        waits = standing.plan is not None and not standing.consented and isinstance(session.move, Question)
        return driver if waits and not driver.why_void(standing) else None
    return None
