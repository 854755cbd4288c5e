"""Whether a drill's operator recovered it, how long it took, and what was left behind.

Reports are records of what was done and are left out, as is what can be made again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.faults import OperatorError
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.status import Verdict
from pipeline.platform.git import read_git_state
from runbook.change.incident import Incident, known_incidents
from runbook.drills.drill import ENGINE_SECONDS, does_not_fit
from runbook.drills.start import DrillNote, digests, read_note
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.wizard import dialogue as wizard
from runbook.wizard.detecting import detect_all, detect_one
from runbook.wizard.dialogue import fold

_SET_ASIDE = re.compile(r"\.(QUARANTINED|SET-ASIDE)-")


@dataclass(frozen=True)
class Times:
    """Seconds from the planting to the first incident, and on to where one came to its end.

    None for what no incident tells: a repair by hand leaves no journal.
    """

    opened_after: float | None = None
    resolved_after: float | None = None


@dataclass(frozen=True)
class Checked:
    """``still`` are the other symptoms that show."""

    note: DrillNote
    recovered: bool
    observed: str
    still: tuple[str, ...]
    times: Times
    left: tuple[str, ...]


def check_drill(root: Path, symptoms: tuple[Symptom, ...]) -> Checked:
    """Ask the drill's own detector at its most thorough, and a fresh audit for all others.

    The audit leaves the baselines alone. Raises RefusedError where no drill was started.
    """
    note = read_note(root)
    workspace = Workspace(root)
    own = next(each for each in symptoms if each.id == note.symptom_id)
    verdict = detect_one(workspace, own, full=True)
    if verdict.verdict is Verdict.CLEAR:
        # Only then: a repair that broke something else is told from a report of now.
        workspace.engine(("audit-full", "--no-append"), seconds=ENGINE_SECONDS)
    found = detect_all(workspace, [each for each in symptoms if each is not own])
    still = tuple(each.symptom.id for each in found if each.is_raised)
    return Checked(
        note=note,
        recovered=verdict.verdict is Verdict.CLEAR and set(still) <= set(note.also),
        observed=verdict.observed,
        still=still,
        times=_times(root, note),
        left=tuple(left_behind(root, note.sound, note.planted, _uncommitted(root))),
    )


def _times(root: Path, note: DrillNote) -> Times:
    opened, resolved = [], []
    for incident_id in known_incidents(root):
        try:
            entries = Incident(root, incident_id).journal.entries()
        except OperatorError:
            continue  # it is told among what was left behind
        opened += [entry.recorded_at for entry in entries if entry.kind == "opened"]
        if entries and entries[-1].state == "resolved":
            resolved += [entry.recorded_at for entry in entries if entry.kind == "verified"][-1:]
    return Times(_since(note, min(opened, default=None)), _since(note, max(resolved, default=None)))


def _since(note: DrillNote, recorded_at: str | None) -> float | None:
    seconds = epoch_seconds(recorded_at)
    return None if seconds is None else max(0.0, seconds - note.started_at)


def _uncommitted(root: Path) -> set[str]:
    state = read_git_state(root)
    if state.problem:
        raise does_not_fit(f"git: {state.problem}")
    return {*state.changes}


def left_behind(
    root: Path, sound: Mapping[str, str], planted: Mapping[str, str], uncommitted: Collection[str]
) -> list[str]:
    """One line for each file that is not as when all was well, and for each incident still open.

    A repaired file that is ``uncommitted`` counts: the last commit has the fault in it.
    """
    now = digests(root)
    lines = []
    for name in sorted({*sound, *now}):
        if sound.get(name) != now.get(name):
            lines.append(
                f"{name}: {_what_became_of(name, sound.get(name), planted.get(name), now.get(name))}"
            )
        elif name in uncommitted:
            lines.append(f"{name}: as it was, and not committed")
    return lines + _open_incidents(root)


def _what_became_of(name: str, sound: str | None, planted: str | None, now: str | None) -> str:
    if _SET_ASIDE.search(name):
        return "set aside; remove it when nobody needs it any more"
    if now == planted:
        return "still as the drill left it"
    if now is None:
        return "gone"
    return "new" if sound is None else "neither as it was nor as the drill left it"


def _open_incidents(root: Path) -> list[str]:
    lines = []
    for incident_id in known_incidents(root):
        try:
            state = fold(Incident(root, incident_id).journal.entries()).state
        except OperatorError as error:
            lines.append(f"incident {incident_id}: {error.fault.what_happened}")
            continue
        if state not in wizard.OVER:
            lines.append(f"incident {incident_id}: {state}, not closed")
    return lines
