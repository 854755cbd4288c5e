"""A plan's step that runs the engine: what it may change is kept before and compared after.

The engine has its own all-or-nothing commit; this step records which files it left different, so
that undo knows every one of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pipeline.platform.lenient_json import object_or_none, text_of
from pipeline.platform.process_end import Ended, exit_in_words
from runbook.change.applied import Applied, States, StepAtWork, states_from
from runbook.change.files import files_below, state_of
from runbook.change.plan import ABSENT, RunCommand

MOST_SAID = 300


def run_command(work: StepAtWork, step: RunCommand, expected: States) -> None:
    """Keep, intent, run, outcome. Raises StorageError and SettingsError; a failed run is an outcome."""
    workspace, root = work.workspace, work.workspace.root
    workspace.engine_choice()
    before = {path: expected.get(path, ABSENT) for path in present(root, step)}
    for path, state in before.items():
        if state.sha256 is not None:
            work.incident.keep_file(root, path, state.sha256, link=path not in step.appends)
    folders = _folders_below(root, (*step.touches, *step.appends))
    work.intend(step.type, before, argv=["distill", *step.arguments], folders_before=sorted(folders))
    ran = workspace.engine(list(step.arguments), seconds=step.seconds)
    work.boundary(f"changed:{work.index}")
    done = ran.exit_code is not None and ran.exit_code in step.ends_with
    _record(work, step, before, folders, done, _said(ran), ran)


def settle_command(work: StepAtWork, step: RunCommand, applied: Applied) -> str:
    """Close the intent of a run whose end nobody saw.

    Where it may be run again it counts as not done. Otherwise files that differ say that it ran.
    """
    root, entry = work.workspace.root, applied.open_entry
    detail = entry.detail if entry is not None else {}
    before = states_from(detail.get("before"))
    names = detail.get("folders_before")
    folders = {str(name) for name in names} if isinstance(names, list) else set()
    changed = any(state_of(root, path) != state for path, state in before.items()) or any(
        path not in before for path in present(root, step)
    )
    done = changed and not step.repeatable
    said = "it ran; nobody saw its end" if changed else "it changed nothing"
    _record(work, step, before, folders, done, said, None)
    return "done" if done else "not done"


def _record(
    work: StepAtWork,
    step: RunCommand,
    before: States,
    folders: set[str],
    done: bool,
    said: str,
    ran: Ended | None,
) -> None:
    root, incident = work.workspace.root, work.incident
    now = {path: state_of(root, path) for path in {*before, *present(root, step)}}
    changed = {path: state for path, state in sorted(now.items()) if before.get(path, ABSENT) != state}
    work.record(
        {path: before.get(path, ABSENT) for path in changed},
        changed,
        sorted(_folders_below(root, (*step.touches, *step.appends)) - folders),
        done=done,
        said=said,
        settled=ran is None,
        argv=["distill", *step.arguments],
        exit_code=ran.exit_code if ran else None,
        took_seconds=round(ran.took_seconds, 3) if ran else None,
        stdout=incident.keep(ran.stdout) if ran and ran.stdout else None,
        stderr=incident.keep(ran.stderr) if ran and ran.stderr else None,
    )


def _said(ran: Ended) -> str:
    if ran.why:
        return ran.why
    words = text_of(object_or_none(ran.stdout), "verdict") or ran.last_words
    ended = exit_in_words(ran.exit_code)
    return ended + (f": {words.removeprefix(f'{ended}: ')[:MOST_SAID]}" if words else "")


def present(root: Path, step: RunCommand) -> list[str]:
    """Every file that is there now and that the command may change."""
    left = tuple(f"{folder}/" for folder in step.leaves)
    return [path for path in files_below(root, (*step.touches, *step.appends)) if not path.startswith(left)]


def _folders_below(root: Path, names: Iterable[str]) -> set[str]:
    """Every folder at, above or below ``names``: what is new among them was made on the way."""
    found: set[str] = set()
    for name in names:
        above = Path(name).parents
        found |= {folder.as_posix() for folder in above if folder.parts and (root / folder).is_dir()}
        top = root / name
        if "*" in name or not top.is_dir():
            continue
        for folder, _, _ in os.walk(top):
            found.add(Path(folder).relative_to(root).as_posix())
    return found
