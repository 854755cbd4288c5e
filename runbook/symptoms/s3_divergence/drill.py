"""S3.divergence: one wall or one assumption goes that today's real data do not touch."""

from __future__ import annotations

from runbook.drills.drill import Drill, Planted, Scene, Slip
from runbook.symptoms.s1_p6_acceptance import PHASE_CHANGED
from runbook.symptoms.s3_divergence import ID

# Each with the invariant that alone sees it; the real data have no such row.
HIDDEN = {
    Slip(
        "pipeline/stages/export_sft.py",
        'SFT_NEVER = frozenset(("rejected", "needs_human_review"))',
        'SFT_NEVER = frozenset(("rejected",))',
        "export: the schema refuses runs in review anyway",
    ): "A13",
    Slip(
        "pipeline/stages/export_sft.py",
        'SFT_NEVER = frozenset(("rejected", "needs_human_review"))',
        "SFT_NEVER: frozenset[str] = frozenset()",
        "export: drop a list that the schema has too",
    ): "A13",
    Slip(
        "pipeline/stages/scoring_rules.py",
        "signals.decision is not None,\n",
        "signals.decision is not None and signals.verdict is None,\n",
        "scoring: a verdict of the tests beats a person",
    ): "A11",
    Slip(
        "pipeline/stages/scoring_rules.py",
        "        return signals.reward < thresholds.partial_at\n",
        "        return False\n",
        "scoring: believe a pass",
    ): "A12",
    Slip(
        "pipeline/storage/source_lines.py",
        "        if len(value) != len(pairs):\n",
        "        if len(value) > len(pairs):\n",
        "sources: the last of two equal keys will do",
    ): "A05",
}


def plant(scene: Scene) -> Planted:
    slip, author = scene.slip([*HIDDEN]), scene.anybody()
    scene.commit(slip.message, author=author)
    return Planted(
        says=f"{author.name} changed {slip.path}, and only {HIDDEN[slip]} sees it.",
        cause=PHASE_CHANGED,
        offer="restore",
        audited=True,
        confidence=None,
    )


DRILL = Drill(ID, "The fixture sees what the real data hide", plant)
