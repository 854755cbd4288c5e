"""LAST.nuclear: several phases are broken at once, each by a commit of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.contracts import paths
from pipeline.contracts.symptoms import LEAK
from runbook.drills.drill import Drill, Planted, Scene
from runbook.symptoms.last_nuclear import DIFFERS, ID
from runbook.symptoms.last_nuclear.diagnose import NUCLEAR

_RECEIPTS = "pipeline/engine/receipts.py"
_PAIRS = "pipeline/stages/export_preference.py"
_WRITER = "pipeline/engine/emit_preference.py"
_SETTINGS = str(paths.SETTINGS)
_DRAFT = "pipeline/stages/score_twice.py"


@dataclass(frozen=True)
class Breakage:
    """One phase's fault, its commit, and the symptoms that it raises."""

    phase: str
    message: str
    breaks: Callable[[Scene], None]
    symptoms: tuple[str, ...]


def _recon(scene: Scene) -> None:
    (scene.root / paths.RECON_DOC).write_text("\n", encoding="utf-8")


def _schema(scene: Scene) -> None:
    scene.edit("pipeline/schemas/skip_row.py", "line: Ordinal = Field(", "line: int = Field(")


def _pairs(scene: Scene) -> None:
    scene.edit(_PAIRS, '"rejected": worse', '"rejected": better')
    scene.edit(_WRITER, "refusal_of_preference(row, line)", "None")


def _summary(scene: Scene) -> None:
    scene.edit(_RECEIPTS, '"workers": run.workers', '"workers": str(run.workers)')
    scene.edit(_RECEIPTS, "    RunSummary.model_validate(summary)\n", "")


def _model(scene: Scene) -> None:
    sound = 'f"Extracted from playbook {best.rag_id}'
    scene.edit("pipeline/replay/models.py", sound, 'f"It depends. Extracted from playbook {best.rag_id}')


_GATE = "S1.P6.acceptance"
BREAKAGES = (
    Breakage("P0", "docs: start the recon over", _recon, ("S1.P0.recon-doc",)),
    Breakage("P1", "skips: any line number will do", _schema, ("S1.P1.schema", _GATE)),
    Breakage("P4", "pairs: faster", _pairs, ("S1.P4.self-pair", _GATE)),
    Breakage("P5", "receipts: easier to read", _summary, ("S1.P5.summary",)),
    Breakage("P7", "replay: sound friendlier", _model, ("S1.P7.replay", _GATE)),
)


def plant(scene: Scene) -> Planted:
    """Three or four of five phases break, somebody is in the middle of something else, and it is run."""
    count = scene.random.choice((3, 4))
    chosen = sorted(scene.random.sample(BREAKAGES, count), key=lambda each: each.phase)
    for each in chosen:
        each.breaks(scene)
        scene.commit(each.message, author=scene.anybody())
    (scene.root / _DRAFT).write_text('"""Asks twice before it rejects. Not finished."""\n', encoding="utf-8")
    scene.append(_SETTINGS, "# Ask Aiko before the thresholds are moved.\n")
    scene.engine("run-all", ends_with=None)
    raised = dict.fromkeys(symptom for each in chosen for symptom in each.symptoms)
    return Planted(
        says=f"{', '.join(each.phase for each in chosen)} were broken by a commit each, and run-all ran; "
        f"{_DRAFT} is nobody's but Aiko's, and {_SETTINGS} has a line that is not committed.",
        cause=DIFFERS,
        offer=NUCLEAR.id,
        also=(*raised, *((LEAK,) if "S1.P4.self-pair" in raised else ())),
        audited=True,
        confidence=None,
    )


DRILL = Drill(ID, "Several phases are broken at once", plant)
