"""ENGINE.wont-start: a file that every command imports is broken, or the settings hold what it refuses."""

from __future__ import annotations

from pipeline.contracts import paths
from runbook.drills.drill import AIKO, Drill, Planted, Scene
from runbook.symptoms.engine_wont_start import CHANGED, ID, SETTINGS_REFUSED

# All are imported before a command says its first word.
FILES = (
    "pipeline/cli.py",
    "pipeline/commands/context.py",
    "pipeline/contracts/discovery.py",
    "pipeline/contracts/faults.py",
    "pipeline/contracts/paths.py",
)
FAULTS = (
    ("a bracket was left open", "_LIMITS = (1, 2,\n"),
    ("a module is imported that is nowhere", "import distill_limits_of_uplands\n"),
    ("a name is used that nothing defines", "_LIMIT = LIMIT_OF_UPLANDS\n"),
)
HARMLESS = "pipeline/card.py"
_AFTER_IMPORTS = "from __future__ import annotations\n"


SETTINGS = str(paths.SETTINGS)
REFUSED = (
    ("a threshold is a word", 'accept_at = "high"\n'),
    ("a key is misspelt", "acept_at = 0.8\n"),
    ("a threshold is past its limit", "accept_at = 80.0\n"),
)


def plant(scene: Scene) -> Planted:
    path = scene.random.choice(FILES)
    what, line = scene.random.choice(FAULTS)
    scene.edit(path, _AFTER_IMPORTS, f"{_AFTER_IMPORTS}\n{line}")
    scene.append(HARMLESS, "\n# The card of Uplands has its own logo.\n")
    committed = scene.random.random() < 0.5
    if committed:
        scene.commit("engine: limits of uplands", author=AIKO)
    return Planted(
        says=f"In {path} {what}{', in a commit of Aiko' if committed else ''}; {HARMLESS} is harmless.",
        cause=CHANGED,
        offer="restore",
    )


DRILL = Drill(ID, "The engine ends before it says anything", plant)


def plant_refused(scene: Scene) -> Planted:
    """Somebody turns a threshold, and does not look whether the engine takes it."""
    what, line = scene.random.choice(REFUSED)
    scene.append(SETTINGS, f"\n[scoring]\n{line}")
    how = scene.commit_perhaps("scoring: be stricter")
    return Planted(
        says=f"In {SETTINGS} {what} ({how}).",
        cause=SETTINGS_REFUSED,
        offer="restore-settings",
    )


REFUSED_SETTINGS = Drill(ID, "The settings hold what the engine refuses", plant_refused, "settings")
