"""``distill drill list|start|check``: rehearse a repair on a planted fault."""

from __future__ import annotations

import argparse
import random
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.contracts.discovery import find_workspace
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible
from pipeline.platform.voice import Voice
from runbook.change.refusals import refused

if TYPE_CHECKING:
    from runbook.drills.check import Checked
    from runbook.drills.drill import Drill

MOST_SEED = 10_000


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    if arguments.action == "start":
        start(arguments, voice)
        return ExitCode.OK
    if arguments.action == "check":
        root = find_workspace(arguments.subject) if arguments.subject else voice.workspace
        return _check(root, voice)
    return _list(voice)


def start(arguments: argparse.Namespace, voice: Voice) -> Path:
    """Build and break the workspace; says where it is, and not what is wrong with it."""
    from runbook.commands.building import Building
    from runbook.drills.start import STEPS, start_drill

    seed = arguments.seed
    if seed is None:
        seed = random.SystemRandom().randrange(MOST_SEED)
    drill = _chosen(arguments.subject, seed)
    voice.note(f"drill {drill.symptom_id}, seed {seed}: building takes up to a minute")
    with Building(voice, STEPS) as building:
        root = start_drill(drill, seed, arguments.dir, building.step)
    if voice.json:
        voice.out_json({"root": str(root), "symptom_id": drill.symptom_id, "drill": drill.id, "seed": seed})
        return root
    voice.out(str(root))
    place = shlex.quote(str(root))
    voice.note(
        f"It is broken now. Look: distill -C {place} runbook detect   (or the console: distill -C {place})"
    )
    voice.note(f"When you are done: distill drill check {place}")
    return root


def _chosen(subject: str | None, seed: int) -> Drill:
    """By its own id; a symptom with several drills has one of them drawn by the seed."""
    from runbook.symptoms import DRILLS

    wanted = (subject or "").lower()
    found = [each for each in DRILLS if wanted in (each.id.lower(), each.symptom_id.lower())]
    if not found:
        what = f"There is no drill {visible(subject, 80)}." if subject else "No symptom was named."
        raise refused("no_such_drill", what, "See all of them: distill drill list")
    return random.Random(seed).choice(found)  # noqa: S311 - where a fault goes is no secret


def _list(voice: Voice) -> int:
    from runbook.symptoms import DRILLS, SYMPTOMS

    severity = {symptom.id: str(symptom.severity) for symptom in SYMPTOMS}
    if voice.json:
        rows = [
            {
                "id": each.id,
                "symptom_id": each.symptom_id,
                "title": each.title,
                "severity": severity[each.symptom_id],
            }
            for each in DRILLS
        ]
        voice.out_json({"drills": rows})
        return ExitCode.OK
    cells = [[each.id, severity[each.symptom_id], each.title] for each in DRILLS]
    voice.table(("drill", "severity", "what is planted"), cells)
    voice.note("start one: distill drill start SYMPTOM")
    return ExitCode.OK


def _check(root: Path, voice: Voice) -> int:
    from runbook.drills.check import check_drill
    from runbook.symptoms import SYMPTOMS

    voice.note("re-running the detector; a fresh audit follows when that is green")
    checked = check_drill(root, SYMPTOMS)
    if voice.json:
        voice.out_json(_data(checked))
    else:
        _tell(checked, voice)
    return ExitCode.OK if checked.recovered else ExitCode.CHECK_FAILED


def _data(checked: Checked) -> dict[str, object]:
    note, times = checked.note, checked.times
    return {
        "drill": note.drill,
        "symptom_id": note.symptom_id,
        "seed": note.seed,
        "recovered": checked.recovered,
        "observed": checked.observed,
        "still": list(checked.still),
        "planted": note.says,
        "cause": note.cause,
        "opened_after_seconds": times.opened_after,
        "resolved_after_seconds": times.resolved_after,
        "left_behind": list(checked.left),
    }


def _tell(checked: Checked, voice: Voice) -> None:
    note, times = checked.note, checked.times
    word = "recovered" if checked.recovered else "NOT recovered"
    voice.out(f"{word}: {note.symptom_id}: {visible(checked.observed, 300)}")
    for symptom_id in checked.still:
        known = "the drill raises it too" if symptom_id in note.also else "not of this drill"
        voice.out(f"still shows: {symptom_id} ({known})")
    voice.out(f"what was planted: {visible(note.says, 300)}")
    if times.opened_after is None:
        voice.out("how long it took: no incident was opened, so nothing tells")
    else:
        ended = "not resolved yet" if times.resolved_after is None else f"{times.resolved_after:.0f} s"
        voice.out(f"how long it took: incident after {times.opened_after:.0f} s, resolved: {ended}")
    voice.out(f"left behind: {len(checked.left) or 'nothing'}")
    for line in checked.left:
        voice.out(f"  {visible(line, 200)}")
