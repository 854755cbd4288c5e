"""Every drill, in the order of the symptoms: one planted fault a symptom, some with several.

``drill`` says what a drill is, ``scene`` plants it, ``build`` makes the sound workspace out of
``sources``, ``start`` and ``check`` are what ``distill drill`` does. The drills themselves are in the
symptoms' folders.
"""

from __future__ import annotations

from runbook import symptoms
from runbook.drills.drill import Drill

DRILLS: tuple[Drill, ...] = tuple(
    found
    for module in symptoms.modules("drill")
    for found in vars(module).values()
    if isinstance(found, Drill)
)
