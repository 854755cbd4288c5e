"""A09 to A12: the verdicts. Streams of runs are counted; single signals are asked one by one.

The probes of A10 to A12 are a stream of their own, so that a threshold, a decision or a
contradiction that goes wrong is seen by its own invariant and not by the counts.
"""

from __future__ import annotations

from collections import Counter

from pipeline.acceptance.invariant import Invariant, Results, Tally
from pipeline.acceptance.scene import Scene
from pipeline.acceptance.written import CATEGORIES
from pipeline.checks.runner import Outcome
from pipeline.contracts.plurals import plural


def _categories_exact(scene: Scene, _results: Results) -> Outcome:
    """Runs are counted by id: a line that counts twice is A07's business."""
    tally = Tally()
    for name in scene.fixture.edited_files():
        tally.wrong(
            f"the fixture was edited, so its counts prove nothing: {name}",
            file=f"pipeline/acceptance/fixture/{name}",
        )
    found: dict[str, Counter[str]] = {}
    for run_id, category in scene.base.category.items():
        found.setdefault(run_id.split("/", 1)[0], Counter())[category] += 1
    for stream, wanted in scene.fixture.expected["categories"].items():
        counted = found.get(stream, Counter())
        for category in CATEGORIES:
            tally.look(
                counted[category] == wanted[category],
                f"{stream}: {counted[category]} {category}, the fixture has {wanted[category]}",
            )
        unknown = set(counted) - set(CATEGORIES)
        tally.look(not unknown, f"{stream}: unknown categories: {', '.join(sorted(unknown))}")
    totals: Counter[str] = Counter()
    for stream in scene.fixture.expected["categories"]:
        totals.update(found.get(stream, Counter()))
    return tally.outcome(", ".join(f"{totals[category]} {category}" for category in CATEGORIES))


def _probes(scene: Scene, wanted: dict[str, str], observed: str) -> Outcome:
    tally = Tally()
    runs = {row["task_id"]: row["run_id"] for row in scene.base.evidence if row["stream"] == "probes"}
    for task, category in wanted.items():
        run_id = runs.get(task)
        seen = "not scored" if run_id is None else scene.base.category.get(run_id, "not scored")
        tally.look(seen == category, f"{task}: {seen} instead of {category}", run_id=run_id)
    return tally.outcome(observed)


def _thresholds_bite(scene: Scene, _results: Results) -> Outcome:
    wanted = scene.fixture.expected["thresholds"]
    return _probes(scene, wanted, f"{plural(len(wanted), 'reward')} around 2 thresholds")


def _override_wins(scene: Scene, _results: Results) -> Outcome:
    wanted = scene.fixture.expected["overrides"]
    return _probes(scene, wanted, f"{plural(len(wanted), 'decision')} against other signals")


def _contradictions_reviewed(scene: Scene, _results: Results) -> Outcome:
    wanted = dict.fromkeys(scene.fixture.expected["contradictions"], "needs_human_review")
    return _probes(scene, wanted, f"{plural(len(wanted), 'run')} with contradicting signals")


INVARIANTS = {
    "A09": Invariant(("base",), _categories_exact),
    "A10": Invariant(("base",), _thresholds_bite),
    "A11": Invariant(("base",), _override_wins),
    "A12": Invariant(("base",), _contradictions_reviewed),
}
