"""S4.empty-exports: a change lets no row through, and the night's run is refused."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.plurals import plural
from pipeline.platform.git import Person
from runbook.drills.drill import Drill, Planted, Scene
from runbook.symptoms.offers import RESTORE_SETTINGS
from runbook.symptoms.s4_empty_exports import ID, NO_EVIDENCE, NONE_ALLOWED, NONE_EXPORTED

SETTINGS = str(paths.SETTINGS)
RULES = "pipeline/stages/scoring_rules.py"
_MODELS = ("delta-7b", "sigma-2", "tau")


def plant(scene: Scene) -> Planted:
    author = scene.anybody()
    planted = scene.random.choice(WAYS)(scene, author)
    scene.engine("run-all", ends_with=ExitCode.CHECK_FAILED)
    return planted


def _filter(scene: Scene, author: Person) -> Planted:
    """Both streams wait for a model that nobody runs."""
    model = scene.random.choice(_MODELS)
    for stream in ("runs", "chats"):
        glob = f'path = "data/_kb/{stream}*.jsonl"'
        scene.edit(SETTINGS, glob, f'{glob}\nwhere = {{ path = "model", equals = "{model}" }}')
    scene.commit(f"streams: only {model} is worth reading", author=author)
    return _planted(f"{author.name} filtered both streams by model {model}", NO_EVIDENCE, RESTORE_SETTINGS.id)


def _scorer(scene: Scene, author: Person) -> Planted:
    margin = scene.random.choice(("1", "2.0", "100"))
    scene.edit(RULES, "signals.reward >= threshold", f"signals.reward >= threshold + {margin}")
    scene.commit("scoring: leave a margin", author=author)
    return _planted(
        f"{author.name} raised both thresholds in {RULES} by {margin}", NONE_ALLOWED, "restore-code"
    )


def _limit(scene: Scene, author: Person) -> Planted:
    most = scene.random.randint(1, 4)
    text = scene.text(SETTINGS)
    (scene.root / SETTINGS).write_text(f"{text}\n[export.sft]\nmax_tokens = {most}\n", encoding="utf-8")
    scene.commit("export: shorter rows", author=author)
    says = f"{author.name} let SFT rows have {plural(most, 'token')}"
    return _planted(says, NONE_EXPORTED, RESTORE_SETTINGS.id)


def _planted(says: str, cause: str, offer: str) -> Planted:
    refused = f"{says}; the run that would have emptied an export was refused."
    return Planted(says=refused, cause=cause, offer=offer)


WAYS: tuple[Callable[[Scene, Person], Planted], ...] = (_filter, _scorer, _limit)
DRILL = Drill(ID, "A run comes out empty", plant)
