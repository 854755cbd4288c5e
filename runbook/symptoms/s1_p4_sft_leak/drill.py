"""S1.P4.sft-leak: a row slips in behind the engine's back, or every wall of the engine is loosened.

One loosened wall alone leaks nothing: the exporter's never-list, the schema and the firewall each
hold without the others.
"""

from __future__ import annotations

import json
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.plurals import with_verb
from runbook.drills.drill import AIKO, INES, TOMAS, Drill, Planted, Scene
from runbook.symptoms.s1_p4_sft_leak import ID, OTHER_WRITER, WALLS
from runbook.symptoms.s1_p4_sft_leak.ways_out import RE_EXPORT

SFT = str(paths.SFT_EXPORT)
SCORED = str(paths.scored_file("runs"))
FORBIDDEN = ("rejected", "needs_human_review")
_SET = "held_out.jsonl"
_SYLLABLES = ("ka", "lo", "mi", "nu", "pe", "ra", "so", "ti", "va", "ze")


def plant_appended(scene: Scene) -> Planted:
    """Some script appends rows of runs that nobody may train on; a few carry an allowed label."""
    category = scene.random.choice(FORBIDDEN)
    candidates = [row for row in scene.rows(SCORED) if row["category"] == category]
    chosen = scene.random.sample(candidates, scene.random.randint(1, 3))
    model = scene.random.choice(scene.rows(SFT))
    for run in chosen:
        scene.append_row(SFT, _row(model, run, scene.random.choice((category, "accepted"))))
    return Planted(
        says=with_verb(len(chosen), f"{category} row", "was/were", f"appended to {SFT} by another writer."),
        cause=OTHER_WRITER,
        offer="quarantine",
        afterwards=(RE_EXPORT,),
        also=("S1.P5.summary",),
    )


def plant_test_item(scene: Scene) -> Planted:
    """A declared test set was looked for; then a script appends one of its items to the export."""
    words = [f"{scene.random.choice(_SYLLABLES)}{scene.random.choice(_SYLLABLES)}" for _ in range(16)]
    item = f"Which of {' '.join(words)} is it?"
    (scene.root / _SET).write_text(json.dumps({"question": item}) + "\n", encoding="utf-8")
    settings = scene.text(str(paths.SETTINGS))
    declared = f'\n[[evaluation]]\nname = "held_out"\npath = "{_SET}"\nprompt = "question"\n'
    (scene.root / paths.SETTINGS).write_text(settings + declared, encoding="utf-8")
    scene.commit("export: keep the held-out questions out of training")
    scene.engine("run-all")
    model = scene.random.choice([row for row in scene.rows(SFT) if row["shape"] == "flat"])
    turns = [
        {**turn, "content": item if turn["role"] == "user" else turn["content"]} for turn in model["messages"]
    ]
    scene.append_row(SFT, model | {"id": "sft-" + "0" * 16, "instruction": item, "messages": turns})
    return Planted(
        says=f"An item of the test set {_SET} was appended to {SFT} by another writer.",
        cause=OTHER_WRITER,
        offer="quarantine",
        afterwards=(RE_EXPORT,),
        also=("S1.P5.summary",),
    )


def _row(model: dict[str, Any], run: dict[str, Any], label: str) -> dict[str, Any]:
    return model | {
        "source_run_id": run["run_id"],
        "task_id": run["task_id"],
        "quality_score": label,
        "provenance": run["provenance"],
    }


def plant_all_walls(scene: Scene) -> Planted:
    """Never-list and schema are loosened in one commit, the scan in another; then it is run."""
    category = scene.random.choice(FORBIDDEN)
    kept = next(each for each in FORBIDDEN if each != category)
    scene.edit(
        "pipeline/stages/export_sft.py",
        'SFT_NEVER = frozenset(("rejected", "needs_human_review"))',
        f'SFT_NEVER = frozenset(("{kept}",))',
    )
    scene.edit(
        "pipeline/schemas/sft.py",
        'quality_score: Literal["accepted", "partially_accepted"] = Field(',
        f'quality_score: Literal["accepted", "partially_accepted", "{category}"] = Field(',
    )
    scene.edit(
        "pipeline/schemas/written.py",
        '_Allowed = Literal["accepted", "partially_accepted"]',
        f'_Allowed = Literal["accepted", "partially_accepted", "{category}"]',
    )
    walls, scan = scene.random.sample((INES, TOMAS, AIKO), 2)
    scene.commit("export: the trainers asked for more rows", author=walls)
    scene.edit(
        "pipeline/engine/staged_exports.py",
        "        claim = (scan or StagedScan(session, outputs)).claim()\n",
        '        claim = {"state": "CLEAR", "findings": 0, "sft_sha256": sft.sha256}\n'
        "        if scan is not None:\n"
        "            scan.abandon()\n",
    )
    scene.commit("engine: the scan takes long, and it has always been clear", author=scan)
    scene.engine("run-all")
    return Planted(
        says=f"{walls.name} let {category} runs through exporter and schema, {scan.name} ended the scan.",
        cause=WALLS,
        offer="quarantine",
        afterwards=("restore",),
        also=("S1.P1.schema",),
    )


APPENDED = Drill(ID, "Rows were appended behind the engine's back", plant_appended, name="appended")
TEST_ITEM = Drill(ID, "An item of a test set was appended to the export", plant_test_item, name="test-item")
LOOSENED = Drill(ID, "Every wall of the engine is loosened", plant_all_walls, name="walls")
