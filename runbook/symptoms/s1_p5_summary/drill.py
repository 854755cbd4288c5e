"""S1.P5.summary: a field of the summary is broken, a byte of an output flips, or the harness slips."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.contracts import paths
from runbook.drills.drill import Drill, Planted
from runbook.drills.scene import AIKO, TOMAS, Scene
from runbook.probes.evidence import Confidence
from runbook.symptoms.s1_p5_summary.define import FILE, HARNESS, ID

HARNESS_FILE = "pipeline/engine/receipts.py"
_VALIDATION = "    RunSummary.model_validate(summary)\n"
_RECORDED_AT = b'"recorded_at":"'
# A byte of these touches no check but the one that compares digests.
_OUTPUTS = (paths.RAG_QUARANTINE, paths.SFT_QUARANTINE, paths.PREFERENCE_QUARANTINE, paths.RAG_EXPORT)


@dataclass(frozen=True)
class Slip:
    """What stood once in the harness, and what somebody put there instead."""

    field: str
    sound: str
    slip: str


SLIPS = (
    Slip("command", '"command": run.command', '"command": [run.command]'),
    Slip(
        "finished_at",
        '"finished_at": finished_at,\n        "elapsed',
        '"finished": finished_at,\n        "elapsed',
    ),
    Slip("warnings", '"warnings": run.warnings', '"warnings": run.warnings or None'),
    Slip("workers", '"workers": run.workers', '"workers": str(run.workers)'),
    Slip("chunk_bytes", '"chunk_bytes": run.chunk_bytes', '"chunk_bytes": float(run.chunk_bytes)'),
)


def plant_changed_file(scene: Scene) -> Planted:
    """One value of the last summary is edited by hand, or one byte of an output is another one."""
    if scene.random.random() < 0.5:
        summary = _last_summary(scene)
        old, new = scene.random.choice(
            (
                ('"ok": true', '"ok": "true"'),
                ('"exit_code": 0', '"exit_code": null'),
                ('"command"', '"comand"'),
            )
        )
        text = scene.text(summary)
        (scene.root / summary).write_text(text.replace(old, new, 1), encoding="utf-8")
        says = f"In {summary}, {old} became {new}."
    else:
        path = scene.root / scene.random.choice(_OUTPUTS)
        data = bytearray(path.read_bytes())
        lines = data.split(b"\n")
        number = scene.random.randrange(len(lines) - 1)
        at = sum(len(line) + 1 for line in lines[:number]) + lines[number].rindex(_RECORDED_AT)
        at += len(_RECORDED_AT)
        data[at] ^= 1  # "2" of the year becomes "3"
        path.write_bytes(bytes(data))
        says = f"Byte {at} of {path.relative_to(scene.root)} (line {number + 1}) was flipped."
    return Planted(says=says, cause=FILE, confidence=Confidence.CERTAIN, offer="run-again", audited=True)


def plant_harness(scene: Scene) -> Planted:
    """The harness writes a summary that is none, does not look at it any more, and a run is made."""
    slip = scene.random.choice(SLIPS)
    scene.edit(HARNESS_FILE, slip.sound, slip.slip)
    scene.edit(HARNESS_FILE, _VALIDATION, "")
    author = scene.random.choice((TOMAS, AIKO))
    committed = scene.random.random() < 0.7
    if committed:
        scene.commit("receipts: easier to read", author=author)
    scene.engine("run-all", ends_with=None)
    return Planted(
        says=f"{HARNESS_FILE} writes {slip.field} wrongly and validates no summary "
        f"({f'committed by {author.name}' if committed else 'not committed'}); run since.",
        cause=HARNESS,
        confidence=Confidence.CERTAIN,
        offer="repair",
        audited=True,
    )


def _last_summary(scene: Scene) -> str:
    runs = sorted(each.parent.name for each in (scene.root / paths.REPORTS).glob("*/summary.json"))
    return str(paths.summary_file(runs[-1]))


CHANGED = Drill(ID, "A summary or an output was changed after the run", plant_changed_file, "changed")
SLIPPED = Drill(ID, "The harness writes summaries that are none", plant_harness, "harness")
