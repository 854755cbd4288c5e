"""S2.drift: a new site logs here too, or somebody moved a threshold."""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from runbook.drills.drill import TOMAS, Drill, Planted, Scene
from runbook.symptoms.s2_drift import ID, JOURNAL, SETTING, SOURCES
from runbook.symptoms.s2_drift.diagnose import NOTE
from runbook.symptoms.s2_drift.journals import WHY

DECISIONS = ("accept", "dismiss")
MODELS = ("delta-8b", "delta-70b", "sigma")
NEW_SITE = str(paths.KNOWLEDGE_BASE / "runs-lowlands.jsonl")
# Below this a reward is not even partly accepted; 0.6 is the one that attempts have.
THRESHOLDS = (0.65, 0.7, 0.8)


def plant_sources(scene: Scene) -> Planted:
    tasks = scene.random.randint(20, 40)
    scene.write_rows(
        NEW_SITE, [_attempt(scene, task, attempt) for task in range(tasks) for attempt in (1, 2, 3)]
    )
    scene.engine("run-all")
    return Planted(
        says=f"A third site came: {NEW_SITE} with {plural(3 * tasks, 'run')}.",
        cause=SOURCES,
        offer=scene.random.choice(DECISIONS),
        answers={NOTE.id: "Lowlands logs here since today"},
        audited=True,
        confidence=None,
    )


def _attempt(scene: Scene, task: int, attempt: int) -> dict[str, object]:
    jobs = scene.random.randint(2, 9)
    return {
        "task": f"lowlands-{task:03}",
        "ask": f"How is node {task} of Lowlands drained before its disk is changed?",
        "said": f"Cordon node {task}, wait for {jobs} jobs, then drain it; attempt {attempt}.",
        "model": scene.random.choice(MODELS),
        "outcome": {"score": scene.random.choice((1.0, 0.6, 0.0)), "judge": "tests"},
        "started_at": f"2026-04-{task % 28 + 1:02}T09:00:00Z",
        "usage": {"latency_ms": float(scene.random.randint(300, 900))},
    }


def plant_threshold(scene: Scene) -> Planted:
    threshold = scene.random.choice(THRESHOLDS)
    settings = scene.text(str(paths.SETTINGS))
    (scene.root / paths.SETTINGS).write_text(f"{settings}\n[scoring]\npartial_at = {threshold}\n")
    scene.commit("settings: ask more of partly right runs", author=TOMAS)
    scene.engine("run-all")
    offer = scene.random.choice(("restore-settings", *DECISIONS))
    return Planted(
        says=f"Tomas moved [scoring] partial_at from 0.5 to {threshold}, and it was run.",
        cause=SETTING,
        offer=offer,
        answers={NOTE.id: "agreed with the reviewers"} if offer in DECISIONS else {},
        audited=True,
        confidence=None,
    )


def plant_journal(scene: Scene) -> Planted:
    """Whoever tidied up had an editor that keeps a copy; rows were appended by the seed's operators only."""
    journal = scene.root / paths.AUDIT_BASELINES
    data = journal.read_bytes()
    how = scene.random.choice(("cut", "changed", "lost"))
    (journal.parent / f"{journal.name}~").write_bytes(data)
    if how == "lost":
        journal.unlink()
    elif how == "cut":
        journal.write_bytes(data[: -scene.random.randint(5, 40)])
    else:
        at = data.rindex(b'"recorded_at"') + len(b'"recorded_at": "2')
        journal.write_bytes(data[:at] + b"1" + data[at + 1 :])
    author = scene.anybody()
    return Planted(
        says=f"{author.name} tidied up data/_kb, and {paths.AUDIT_BASELINES} was {how}.",
        cause=JOURNAL,
        offer=scene.random.choice(("restore-journal", "adopt-journal")),
        answers={WHY.id: "it was tidied up; the rows are not needed any more"},
        audited=True,
    )


NEW_SOURCES = Drill(ID, "A new site logs here too", plant_sources, name="sources")
CHANGED_JOURNAL = Drill(ID, "The journal of baselines was tidied up", plant_journal, name="journal")
MOVED_THRESHOLD = Drill(ID, "A threshold of the scorer was moved", plant_threshold, name="threshold")
