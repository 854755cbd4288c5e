"""S1.P0.recon-doc: the recon doc goes, or is emptied, by hand or in a commit."""

from __future__ import annotations

from pipeline.contracts import paths
from runbook.drills.drill import TOMAS, Drill, Planted, Scene
from runbook.symptoms.s1_p0_recon_doc import DELETED, ID
from runbook.symptoms.s1_p0_recon_doc.diagnose import RESTORE

DOC = str(paths.RECON_DOC)


def plant(scene: Scene) -> Planted:
    emptied, committed = scene.random.random() < 0.5, scene.random.random() < 0.5
    if emptied:
        (scene.root / DOC).write_text("\n" * scene.random.randint(0, 3))
    else:
        (scene.root / DOC).unlink()
    if committed:
        scene.commit("docs: tidy up", author=TOMAS)
    how = f"{'emptied' if emptied else 'deleted'}{' and committed by Tomas' if committed else ''}"
    return Planted(says=f"{DOC} was {how}.", cause=DELETED, offer=RESTORE.id)


DRILL = Drill(ID, "The recon doc is gone", plant)
