"""Every drill, in the order of the symptoms: one planted fault a symptom, some with several.

``drill`` says what a drill is, ``scene`` plants it, ``build`` makes the sound workspace out of
``sources``, ``start`` and ``check`` are what ``distill drill`` does.
"""

from __future__ import annotations

from runbook.drills import (
    engine_wont_start,
    s1_p0_recon_doc,
    s1_p1_schema,
    s1_p2_materialize,
    s1_p4_sft_leak,
    s2_drift,
    s6_replay_log,
)
from runbook.drills.drill import Drill

DRILLS: tuple[Drill, ...] = (
    s1_p4_sft_leak.APPENDED,
    engine_wont_start.DRILL,
    s1_p0_recon_doc.DRILL,
    s1_p1_schema.DRILL,
    s1_p2_materialize.RENAMED,
    s1_p2_materialize.CHANGED,
    s2_drift.NEW_SOURCES,
    s2_drift.MOVED_THRESHOLD,
    s6_replay_log.DRILL,
)
