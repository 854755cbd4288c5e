"""Every drill, in the order of the symptoms: one planted fault a symptom, some with several.

``drill`` says what a drill is, ``scene`` plants it, ``build`` makes the sound workspace out of
``sources``, ``start`` and ``check`` are what ``distill drill`` does.
"""

from __future__ import annotations

from runbook.drills import (
    s1_p0_recon_doc,
    s1_p1_schema,
)
from runbook.drills.drill import Drill

DRILLS: tuple[Drill, ...] = (
    s1_p0_recon_doc.DRILL,
    s1_p1_schema.DRILL,
)
