"""S1.P4.self-pair: the guard between the two sides goes, or a row comes in behind the engine's back."""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.symptoms import LEAK
from runbook.drills.drill import Drill, Planted, Scene
from runbook.symptoms.s1_p4_self_pair import GUARD, ID, OTHER_WRITER

PAIRS = str(paths.PREFERENCE_EXPORT)
EXPORTER = "pipeline/stages/export_preference.py"
WRITER = "pipeline/engine/emit_preference.py"
_SAME_RUN = """\
    if better_run["run_id"] == worse_run["run_id"]:
        return Refusal(QuarantineReason.NO_COUNTERPART, "both sides are the same run")
"""
_SAME_TEXT = """\
    if chosen.response_key == rejected.response_key:
        return Refusal(QuarantineReason.DUPLICATE_SAMPLE, "both sides are the same text")
"""


def plant_without_guard(scene: Scene) -> Planted:
    """Both guards that would refuse it go (the exporter's and the schema's), and a slip comes in."""
    if scene.random.random() < 0.5:
        scene.edit(EXPORTER, _SAME_RUN, "")
        scene.edit(
            EXPORTER,
            'chosen_run_id, rejected_run_id = better_run["run_id"], worse_run["run_id"]',
            'chosen_run_id = rejected_run_id = better_run["run_id"]',
        )
        what = "pairs each run with itself"
    else:
        scene.edit(EXPORTER, _SAME_TEXT, "")
        scene.edit(EXPORTER, '"rejected": worse', '"rejected": better')
        what = "writes the better answer on both sides"
    scene.edit(WRITER, "refusal_of_preference(row, line)", "None  # a third of the time went here")
    how = scene.commit_perhaps("export: faster pairs")
    scene.engine("export")
    return Planted(
        says=f"{EXPORTER} {what}, and {WRITER} does not validate any more ({how}); exported since.",
        cause=GUARD,
        offer="repair",
        also=(LEAK,),
    )


def plant_appended(scene: Scene) -> Planted:
    """Somebody's script adds a pair; the audit of the night sees that receipts do not hold either."""
    rows = scene.rows(PAIRS)
    row = dict(scene.random.choice(rows))
    side = scene.random.choice(("chosen_run_id", "chosen"))
    row[side.replace("chosen", "rejected")] = row[side]
    scene.append_row(PAIRS, row)
    return Planted(
        says=f"A copy of {row['id']} with the {side} on both sides was appended to {PAIRS}.",
        cause=OTHER_WRITER,
        offer="re-export",
        also=(LEAK, "S1.P5.summary"),
        audited=True,
    )


GUARD_GONE = Drill(
    ID, "The guard that keeps both sides of a pair apart is gone", plant_without_guard, "guard"
)
APPENDED = Drill(ID, "A pair of a run with itself was appended", plant_appended, "appended")
