"""S1.P1.schema: a schema is loosened, in a commit or by hand, and its version stays as it was."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.drills.drill import Drill, Planted
from runbook.drills.scene import AIKO, INES, TOMAS, Scene
from runbook.probes.evidence import Confidence
from runbook.symptoms.s1_p1_schema.define import ID, SCHEMA_CHANGED


@dataclass(frozen=True)
class Loosened:
    """What stood once in the schema's file, and what somebody put there instead."""

    path: str
    field: str
    sound: str
    loose: str
    message: str


LOOSENED = (
    Loosened(
        "pipeline/schemas/sft.py",
        "sft.quality_score",
        'quality_score: Literal["accepted", "partially_accepted"] = Field(',
        'quality_score: Literal["accepted", "partially_accepted", "needs_human_review"] = Field(',
        "sft: let runs in review through, they are mostly fine",
    ),
    Loosened(
        "pipeline/schemas/sft.py",
        "sft.model_name",
        "model_name: Text | None = Field(",
        "model_name: Text | None = Field(default=None, ",
        "sft: do not ask for the model's name",
    ),
    Loosened(
        "pipeline/schemas/skip_row.py",
        "skip_row.line",
        "line: Ordinal = Field(",
        "line: int = Field(",
        "skips: any line number will do",
    ),
    Loosened(
        "pipeline/schemas/scored_run.py",
        "scored_run.score",
        "score: Fraction = Field(",
        "score: float = Field(",
        "scored runs: scores beyond one are allowed now",
    ),
    Loosened(
        "pipeline/schemas/evidence.py",
        "evidence.tags",
        "tags: list[Text] = Field(",
        "tags: list[Text] | None = Field(",
        "evidence: tags may be missing",
    ),
)


def plant(scene: Scene) -> Planted:
    fault = scene.random.choice(LOOSENED)
    scene.edit(fault.path, fault.sound, fault.loose)
    how = "not committed"
    if scene.random.random() < 0.6:
        author = scene.random.choice((AIKO, INES, TOMAS))
        scene.commit(fault.message, author=author)
        how = f"committed by {author.name}"
    return Planted(
        says=f"{fault.field} was loosened in {fault.path} under the same version; {how}.",
        cause=SCHEMA_CHANGED,
        confidence=Confidence.CERTAIN,
        offer="restore",
    )


DRILL = Drill(ID, "A schema is loosened under its version", plant)
