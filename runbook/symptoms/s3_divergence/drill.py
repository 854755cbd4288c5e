"""S3.divergence: one wall or one assumption goes that today's real data do not touch."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.drills.drill import Drill, Planted
from runbook.drills.scene import AIKO, INES, TOMAS, Scene
from runbook.symptoms.s1_p6_acceptance.define import PHASE_CHANGED
from runbook.symptoms.s3_divergence.define import ID


@dataclass(frozen=True)
class Hidden:
    """``invariant`` is what alone sees it; the real data have no such row."""

    path: str
    sound: str
    broken: str
    message: str
    invariant: str


HIDDEN = (
    Hidden(
        "pipeline/stages/export_sft.py",
        'SFT_NEVER = frozenset(("rejected", "needs_human_review"))',
        'SFT_NEVER = frozenset(("rejected",))',
        "export: the schema refuses runs in review anyway",
        "A13",
    ),
    Hidden(
        "pipeline/stages/export_sft.py",
        'SFT_NEVER = frozenset(("rejected", "needs_human_review"))',
        "SFT_NEVER: frozenset[str] = frozenset()",
        "export: drop a list that the schema has too",
        "A13",
    ),
    Hidden(
        "pipeline/stages/scoring_rules.py",
        "signals.decision is not None,\n",
        "signals.decision is not None and signals.verdict is None,\n",
        "scoring: a verdict of the tests beats a person",
        "A11",
    ),
    Hidden(
        "pipeline/stages/scoring_rules.py",
        "        return signals.reward < thresholds.partial_at\n",
        "        return False\n",
        "scoring: believe a pass",
        "A12",
    ),
    Hidden(
        "pipeline/storage/source_lines.py",
        "        if len(value) != len(pairs):\n",
        "        if len(value) > len(pairs):\n",
        "sources: the last of two equal keys will do",
        "A05",
    ),
)


def plant(scene: Scene) -> Planted:
    fault = scene.random.choice(HIDDEN)
    author = scene.random.choice((AIKO, INES, TOMAS))
    scene.edit(fault.path, fault.sound, fault.broken)
    scene.commit(fault.message, author=author)
    return Planted(
        says=f"{author.name} changed {fault.path}, and only {fault.invariant} sees it.",
        cause=PHASE_CHANGED,
        offer="restore",
        audited=True,
    )


DRILL = Drill(ID, "The fixture sees what the real data hide", plant)
