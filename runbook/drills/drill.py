"""What a drill is: a real fault, planted in a throw-away workspace, and what must come of it.

The module ``drill`` of a symptom's folder holds one or more drills. ``plant`` does what somebody would
have done by mistake::

    def plant(scene: Scene) -> Planted:
        wall = scene.random.choice(WALLS)
        scene.edit(wall.path, wall.sound, wall.loosened)
        scene.commit("export: let more rows through", author=TOMAS)
        scene.engine("run-all")
        return Planted(says=f"{wall.path} was loosened", cause="exporter_loosened", offer="restore")

    DRILL = Drill("S1.P4.self-pair", "The equality guard is gone", plant)

Whatever may differ (which file, row, constant, author) is drawn from ``scene.random``, so that
the same seed plants the same fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runbook.drills.scene import Scene
from runbook.probes.evidence import Confidence


@dataclass(frozen=True)
class Planted:
    """What was planted, and the way out that a good wizard leads to.

    ``says`` tells the operator afterwards, in one sentence, what was done. ``cause`` is the id that
    the diagnosis must name, with this ``confidence`` where that is not None. ``offer`` is chosen, with
    ``answers`` to its questions; where it only contains the damage, ``afterwards`` are the offers
    chosen after it, one after the other, until the detector is green.

    ``also`` are the other symptoms that rightly show, beneath this one or beside it; exactly
    those may. ``audited`` has the night's audit (acceptance included) run after planting: symptoms
    that read reports ring only then.
    """

    says: str
    cause: str
    offer: str
    answers: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    audited: bool = False
    confidence: Confidence | None = Confidence.CERTAIN
    afterwards: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drill:
    """One planted fault of a symptom. ``name`` tells apart the drills of a symptom with several."""

    symptom_id: str
    title: str
    plant: Callable[[Scene], Planted]
    name: str = ""

    @property
    def id(self) -> str:
        """What ``distill drill start`` takes: ``S6.replay-log``, or ``S1.P4.sft-leak/appended``."""
        return f"{self.symptom_id}/{self.name}" if self.name else self.symptom_id
