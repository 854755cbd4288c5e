"""S1.P3.distribution: the scorer's rules are tightened, or verdicts are taken out of the scored runs."""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.plurals import with_verb
from runbook.drills.drill import Drill, Planted, Scene, Slip
from runbook.symptoms.s1_p3_distribution import CHANGED, ID, TOUCHED
from runbook.symptoms.s1_p3_distribution.diagnose import SCORE_AGAIN

RULES = "pipeline/stages/scoring_rules.py"


TIGHTENED = (
    Slip(
        RULES,
        "signals.reward is not None and signals.reward >= threshold",
        "signals.reward is not None and signals.reward > threshold",
        "scoring: a threshold must be passed, not met",
    ),
    Slip(
        RULES,
        '"Is the reward accept_at or more?",\n        ACCEPTED,',
        '"Is the reward accept_at or more?",\n        PARTIALLY_ACCEPTED,',
        "scoring: only people accept",
    ),
)
# No export holds a row of these, so nothing but the verdicts themselves is missing.
_IN_NO_EXPORT = ("rejected", "needs_human_review")


def plant_scorer(scene: Scene) -> Planted:
    slip = scene.slip(TIGHTENED)
    how = scene.commit_perhaps(slip.message)
    # Exports shrink and pairs end, as they would for whoever meant it.
    scene.engine("run-all", "--allow-shrink", "--allow-empty")
    return Planted(
        says=f"The scorer in {RULES} accepts nobody any more ({slip.message}; {how}).",
        cause=CHANGED,
        offer="restore-code",
        also=("S4.empty-exports",),
    )


def plant_dropped(scene: Scene) -> Planted:
    stream = scene.random.choice(("runs", "chats"))
    path = str(paths.scored_file(stream))
    rows = scene.rows(path)
    candidates = [row["run_id"] for row in rows if row["category"] in _IN_NO_EXPORT]
    dropped = set(scene.random.sample(candidates, scene.random.randint(1, 4)))
    scene.write_rows(path, [row for row in rows if row["run_id"] not in dropped])
    return Planted(
        says=with_verb(len(dropped), "verdict", "was/were", f"taken out of {path}."),
        cause=TOUCHED,
        offer=SCORE_AGAIN.id,
        also=("S1.P4.self-pair", "S1.P5.summary"),
        audited=True,
    )


SCORER = Drill(ID, "The scorer accepts nobody any more", plant_scorer, name="scorer")
DROPPED = Drill(ID, "Verdicts are gone from the scored runs", plant_dropped, name="dropped")
