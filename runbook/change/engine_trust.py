"""A consented plan renews trust for what it writes, and for nothing else.

Whether what runs now is trusted is told from the files: put back what the plan's steps replaced, and if
that was trusted, so is what stands now. So a process that is killed between a step and this needs no
memory of it, and code that somebody else changed meanwhile stays untrusted.
"""

from __future__ import annotations

import contextlib
from pathlib import Path, PurePosixPath

from pipeline.contracts import paths
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.toml_document import parsed
from pipeline.platform import trust_book
from pipeline.platform.engine_choice import (
    Stakes,
    engine_to_change,
    is_trusted,
    programs_of,
    stakes_of,
    trust_follows,
    with_other_files,
)
from pipeline.platform.engine_copy import PACKAGE
from runbook.change.applied import Applied, States, expected_states
from runbook.change.files import state_of
from runbook.change.incident import Incident
from runbook.change.plan import Plan, RunCommand, WriteFile


def renew_trust(root: Path, incident: Incident, applied: Applied) -> None:
    """Trust what the steps that were done have written, where what they replaced was trusted.

    Raises StorageError.
    """
    before: States = {}
    after: States = {}
    for index in sorted(applied.steps):
        before = {**applied.steps[index].before, **before}
        after = {**after, **applied.steps[index].after}
    if any(state_of(root, path) != state for path, state in after.items() if _may_run(path)):
        return  # somebody wrote there since, and nobody agreed to that
    stakes = _stakes(root)
    if stakes is None or not before:
        return
    trust_follows(stakes, _of_the_package(before))
    settings = before.get(str(paths.SETTINGS))
    if settings is not None and settings.sha256 is not None and not stakes.programs_are_trusted:
        with contextlib.suppress(ValueError, RecursionError, OperatorError):
            named = programs_of(parsed(incident.kept(settings.sha256)))
            if Stakes(root, programs=named).programs_are_trusted:
                trust_book.remember(root, programs=stakes.programs_digest)


def refuse_untrusted_runs(root: Path, plan: Plan, applied: Applied) -> None:
    """Raises TrustNeededError before the first step of a plan that would run code which nobody trusts,
    neither as it stands nor as the plan would leave it.
    """
    if not any(isinstance(step, RunCommand) for step in plan.steps):
        return
    stakes = _stakes(root)
    if stakes is None or stakes.engine_is_trusted:
        return
    if stakes.files is not None:
        before = _of_the_package(expected_states(plan, Applied()))
        after = {
            name: step.after.sha256
            for step in plan.steps
            if isinstance(step, WriteFile) and (name := _in_the_package(step.path))
        }
        done = {path: state for each in applied.steps.values() for path, state in each.before.items()}
        earlier = with_other_files(stakes.files, {**before, **_of_the_package(done)})
        if is_trusted(earlier) or is_trusted(with_other_files(stakes.files, after)):
            return
    engine_to_change(root)


def _may_run(path: str) -> bool:
    return path == str(paths.SETTINGS) or bool(_in_the_package(path))


def _stakes(root: Path) -> Stakes | None:
    try:
        stakes = stakes_of(root)
    except OperatorError:
        return None
    return stakes if stakes.wants_own or stakes.programs else None


def _of_the_package(states: States) -> dict[str, str | None]:
    return {name: state.sha256 for path, state in states.items() if (name := _in_the_package(path))}


def _in_the_package(path: str) -> str:
    """The path below the engine's package; empty for any other file."""
    place = PurePosixPath(path)
    return str(place.relative_to(PACKAGE)) if place.is_relative_to(PACKAGE) and place.name != PACKAGE else ""
