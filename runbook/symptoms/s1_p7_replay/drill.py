"""S1.P7.replay: the model is another one, its code hedges, or the playbooks are gone."""

from __future__ import annotations

from pipeline.contracts import paths
from runbook.drills.drill import Drill, Planted, Scene
from runbook.symptoms.s1_p7_replay import CODE_CHANGED, EMPTY, ID, SILENT

SETTINGS = str(paths.SETTINGS)
PLAYBOOKS = str(paths.RAG_EXPORT)
MODELS = "pipeline/replay/models.py"
TASK = "Why does billing answer slowly after a deploy?"
# Nobody listens there: the port is the one that discards whatever comes.
_NOBODY = "http://127.0.0.1:9/v1"
_ANSWER = '            f"Extracted from playbook {best.rag_id}'
_HEDGES = ("It depends. ", "As an AI language model: ", "I am not sure, but: ", "Hope this helps! ")
_NAMES = ("openai:delta-8b", "openai:sigma", "openai:delta-70b")


def plant_swapped(scene: Scene) -> Planted:
    """A task passes; then somebody names a model whose server is not there."""
    scene.engine("replay", "--task", TASK, "--local-only")
    model = scene.random.choice(_NAMES)
    scene.append(
        SETTINGS, f'\n[replay]\nmodel = "{model}"  # faster than extractive\nbase_url = "{_NOBODY}"\n'
    )
    how = scene.commit_perhaps("replay: ask a real model")
    return Planted(
        says=f"{SETTINGS} names the model {model}, at a server that is not there ({how}).",
        cause=SILENT,
        offer="default-model",
        audited=True,
    )


def plant_hedging(scene: Scene) -> Planted:
    """The embedded model's own code is edited until it answers with filler."""
    scene.engine("replay", "--task", TASK, "--local-only")
    hedge = scene.random.choice(_HEDGES)
    scene.edit(MODELS, _ANSWER, f'            f"{hedge}Extracted from playbook {{best.rag_id}}')
    how = scene.commit_perhaps("replay: sound friendlier")
    return Planted(
        says=f"{MODELS}: the embedded model says “{hedge.strip()}” first ({how}).",
        cause=CODE_CHANGED,
        offer="restore",
        also=("S1.P6.acceptance",),
        audited=True,
    )


def plant_emptied(scene: Scene) -> Planted:
    """The playbooks are emptied, or taken away, behind the engine's back."""
    path = scene.root / PLAYBOOKS
    emptied = scene.random.random() < 0.5
    if emptied:
        path.write_bytes(b"")
    else:
        path.unlink()
    return Planted(
        says=f"{PLAYBOOKS} was {'emptied' if emptied else 'deleted'}.",
        cause=EMPTY,
        offer="export-rag",
        also=("S1.P4.self-pair", "S1.P5.summary", "S2.drift"),
        audited=True,
    )


SWAPPED_MODEL = Drill(ID, "The model was swapped for one that does not answer", plant_swapped, "swapped")
HEDGING = Drill(ID, "The embedded model hedges", plant_hedging, "hedging")
EMPTIED = Drill(ID, "The playbooks are gone", plant_emptied, "emptied")
