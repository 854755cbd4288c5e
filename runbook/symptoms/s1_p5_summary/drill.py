"""S1.P5.summary: a field of the summary is broken, a byte of an output flips, or the harness slips."""

from __future__ import annotations

from pipeline.contracts import paths
from runbook.drills.drill import Drill, Planted, Scene
from runbook.symptoms.s1_p5_summary import FILE, HARNESS, ID

HARNESS_FILE = "pipeline/engine/receipts.py"
_VALIDATION = "    RunSummary.model_validate(summary)\n"
_RECORDED_AT = b'"recorded_at":"'
# A byte of these touches no check but the one that compares digests.
_OUTPUTS = (paths.RAG_QUARANTINE, paths.SFT_QUARANTINE, paths.PREFERENCE_QUARANTINE, paths.RAG_EXPORT)


# A field of the summary, how it is written, and how it is written wrongly.
SLIPS = (
    ("command", '"command": run.command', '"command": [run.command]'),
    (
        "finished_at",
        '"finished_at": finished_at,\n        "elapsed',
        '"finished": finished_at,\n        "elapsed',
    ),
    ("warnings", '"warnings": run.warnings', '"warnings": run.warnings or None'),
    ("workers", '"workers": run.workers', '"workers": str(run.workers)'),
    ("chunk_bytes", '"chunk_bytes": run.chunk_bytes', '"chunk_bytes": float(run.chunk_bytes)'),
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
    return Planted(says=says, cause=FILE, offer="run-again", audited=True)


def plant_harness(scene: Scene) -> Planted:
    """The harness writes a summary that is none, does not look at it any more, and a run is made."""
    field, sound, broken = scene.random.choice(SLIPS)
    scene.edit(HARNESS_FILE, sound, broken)
    scene.edit(HARNESS_FILE, _VALIDATION, "")
    how = scene.commit_perhaps("receipts: easier to read")
    scene.engine("run-all", ends_with=None)
    return Planted(
        says=f"{HARNESS_FILE} writes {field} wrongly and validates no summary ({how}); run since.",
        cause=HARNESS,
        offer="repair",
        audited=True,
    )


def _last_summary(scene: Scene) -> str:
    runs = sorted(each.parent.name for each in (scene.root / paths.REPORTS).glob("*/summary.json"))
    return str(paths.summary_file(runs[-1]))


CHANGED = Drill(ID, "A summary or an output was changed after the run", plant_changed_file, "changed")
SLIPPED = Drill(ID, "The harness writes summaries that are none", plant_harness, "harness")
