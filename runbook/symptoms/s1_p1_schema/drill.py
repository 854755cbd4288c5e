"""S1.P1.schema: a schema is loosened, in a commit or by hand, and its version stays as it was."""

from __future__ import annotations

from runbook.drills.drill import Drill, Planted, Scene, Slip
from runbook.symptoms.s1_p1_schema import ID, SCHEMA_CHANGED

# Each with the field that it is about.
LOOSENED = {
    Slip(
        "pipeline/schemas/sft.py",
        'quality_score: Literal["accepted", "partially_accepted"] = Field(',
        'quality_score: Literal["accepted", "partially_accepted", "needs_human_review"] = Field(',
        "sft: let runs in review through, they are mostly fine",
    ): "sft.quality_score",
    Slip(
        "pipeline/schemas/sft.py",
        "model_name: Text = Field(",
        'model_name: Text = Field(default="", ',
        "sft: do not ask for the model's name",
    ): "sft.model_name",
    Slip(
        "pipeline/schemas/skip_row.py",
        "line: Ordinal = Field(",
        "line: int = Field(",
        "skips: any line number will do",
    ): "skip_row.line",
    Slip(
        "pipeline/schemas/scored_run.py",
        "score: Fraction = Field(",
        "score: float = Field(",
        "scored runs: scores beyond one are allowed now",
    ): "scored_run.score",
    Slip(
        "pipeline/schemas/evidence.py",
        "tags: list[Text] = Field(",
        "tags: list[Text] | None = Field(",
        "evidence: tags may be missing",
    ): "evidence.tags",
}


def plant(scene: Scene) -> Planted:
    slip = scene.slip([*LOOSENED])
    how = scene.commit_perhaps(slip.message, 0.6)
    return Planted(
        says=f"{LOOSENED[slip]} was loosened in {slip.path} under the same version; {how}.",
        cause=SCHEMA_CHANGED,
        offer="restore",
    )


DRILL = Drill(ID, "A schema is loosened under its version", plant)
