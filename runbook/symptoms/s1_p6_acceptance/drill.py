"""S1.P6.acceptance: a constant or a rule moves, and fixture and real data both show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runbook.drills.drill import Drill, Planted, Scene
from runbook.symptoms.s1_p6_acceptance import ID, PHASE_CHANGED

VALIDATOR = "pipeline/replay/validate.py"
RULES = "pipeline/stages/scoring_rules.py"


@dataclass(frozen=True)
class Moved:
    """``draw`` gives the new text for ``sound``. ``also`` are the symptoms of the red checks of data."""

    path: str
    sound: str
    draw: Callable[[Scene], str]
    message: str
    also: tuple[str, ...]
    runs: bool = False


MOVED = (
    Moved(
        VALIDATOR,
        "MIN_WORDS = 8",
        lambda scene: f"MIN_WORDS = {scene.random.randint(60, 90)}",
        "replay: only long answers are worth keeping",
        ("S1.P7.replay",),
    ),
    Moved(
        VALIDATOR,
        "MIN_SUPPORT = 0.2",
        lambda scene: f"MIN_SUPPORT = {scene.random.randint(15, 30)}  # per cent",
        "replay: support is easier to read in per cent",
        ("S1.P7.replay",),
    ),
    Moved(
        RULES,
        '"Is the reward accept_at or more?",\n        ACCEPTED,',
        lambda _scene: '"Is the reward accept_at or more?",\n        PARTIALLY_ACCEPTED,',
        "scoring: a reward alone is no proof",
        ("S1.P3.distribution", "S2.drift"),
        runs=True,
    ),
)


def plant(scene: Scene) -> Planted:
    fault = scene.random.choice(MOVED)
    author = scene.anybody()
    scene.edit(fault.path, fault.sound, fault.draw(scene))
    scene.commit(fault.message, author=author)
    if fault.runs:
        scene.engine("run-all")
    return Planted(
        says=f"{author.name} changed {fault.path}: {fault.message}.",
        cause=PHASE_CHANGED,
        offer="restore-and-run" if fault.runs else "restore",
        also=fault.also,
        audited=True,
        confidence=None,
    )


DRILL = Drill(ID, "A constant moved, on the fixture and on the data", plant)
