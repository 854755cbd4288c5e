"""Every drill, in the order of the symptoms: one planted fault a symptom, some with several.

``drill`` says what a drill is, ``scene`` plants it, ``build`` makes the sound workspace out of
``sources``, ``start`` and ``check`` are what ``distill drill`` does.
"""

from __future__ import annotations

from runbook.drills import (
    engine_wont_start,
    last_nuclear,
    s1_p0_recon_doc,
    s1_p0_source_missing,
    s1_p1_schema,
    s1_p2_materialize,
    s1_p3_distribution,
    s1_p4_self_pair,
    s1_p4_sft_leak,
    s1_p5_summary,
    s1_p6_acceptance,
    s1_p7_replay,
    s2_drift,
    s3_divergence,
    s4_empty_exports,
    s5_hash_mismatch,
    s6_replay_log,
)
from runbook.drills.drill import Drill

DRILLS: tuple[Drill, ...] = (
    s1_p4_sft_leak.APPENDED,
    s1_p4_sft_leak.LOOSENED,
    engine_wont_start.DRILL,
    s5_hash_mismatch.DRILL,
    last_nuclear.DRILL,
    s1_p0_recon_doc.DRILL,
    s1_p1_schema.DRILL,
    s1_p2_materialize.RENAMED,
    s1_p2_materialize.CHANGED,
    s1_p3_distribution.SCORER,
    s1_p3_distribution.DROPPED,
    s1_p4_self_pair.GUARD_GONE,
    s1_p4_self_pair.APPENDED,
    s1_p5_summary.CHANGED,
    s1_p5_summary.SLIPPED,
    s1_p6_acceptance.DRILL,
    s1_p7_replay.SWAPPED_MODEL,
    s1_p7_replay.HEDGING,
    s1_p7_replay.EMPTIED,
    s2_drift.NEW_SOURCES,
    s2_drift.MOVED_THRESHOLD,
    s3_divergence.DRILL,
    s4_empty_exports.DRILL,
    s6_replay_log.DRILL,
    s1_p0_source_missing.DRILL,
)
