"""S1.P4.sft-leak: a row slips in behind the engine's back, or every wall of the engine is loosened.

One loosened wall alone leaks nothing: the exporter's never-list, the schema and the firewall each
hold without the others.
"""

from __future__ import annotations

from typing import Any

from pipeline.contracts import paths
from runbook.drills.drill import Drill, Planted
from runbook.drills.scene import Scene
from runbook.evidence import Confidence
from runbook.symptoms.s1_p4_sft_leak import EXPORT_AGAIN, ID, OTHER_WRITER

SFT = str(paths.SFT_EXPORT)
SCORED = str(paths.scored_file("runs"))
FORBIDDEN = ("rejected", "needs_human_review")


def plant_appended(scene: Scene) -> Planted:
    """Some script appends rows of runs that nobody may train on; a few carry an allowed label."""
    category = scene.random.choice(FORBIDDEN)
    candidates = [row for row in scene.rows(SCORED) if row["category"] == category]
    chosen = scene.random.sample(candidates, scene.random.randint(1, 3))
    model = scene.random.choice(scene.rows(SFT))
    for run in chosen:
        scene.append_row(SFT, _row(model, run, scene.random.choice((category, "accepted"))))
    return Planted(
        says=f"{len(chosen)} rows of {category} runs were appended to {SFT} by another writer.",
        cause=OTHER_WRITER,
        confidence=Confidence.CERTAIN,
        offer="quarantine",
        afterwards=(EXPORT_AGAIN.id,),
    )


def _row(model: dict[str, Any], run: dict[str, Any], label: str) -> dict[str, Any]:
    return model | {
        "source_run_id": run["run_id"],
        "task_id": run["task_id"],
        "quality_score": label,
        "provenance": run["provenance"],
    }


APPENDED = Drill(ID, "Rows were appended behind the engine's back", plant_appended, name="appended")
