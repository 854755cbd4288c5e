"""Every drill, in the order of the symptoms: one planted fault a symptom, some with several.

``drill`` says what a drill is, ``scene`` plants it, ``build`` makes the sound workspace out of
``sources``, ``start`` and ``check`` are what ``distill drill`` does.
"""

from __future__ import annotations

from runbook.drills.drill import Drill
from runbook.symptoms.engine_wont_start import drill as engine_wont_start
from runbook.symptoms.last_nuclear import drill as last_nuclear
from runbook.symptoms.s1_p0_recon_doc import drill as s1_p0_recon_doc
from runbook.symptoms.s1_p0_source_missing import drill as s1_p0_source_missing
from runbook.symptoms.s1_p1_schema import drill as s1_p1_schema
from runbook.symptoms.s1_p2_materialize import drill as s1_p2_materialize
from runbook.symptoms.s1_p3_distribution import drill as s1_p3_distribution
from runbook.symptoms.s1_p4_self_pair import drill as s1_p4_self_pair
from runbook.symptoms.s1_p4_sft_leak import drill as s1_p4_sft_leak
from runbook.symptoms.s1_p5_summary import drill as s1_p5_summary
from runbook.symptoms.s1_p6_acceptance import drill as s1_p6_acceptance
from runbook.symptoms.s1_p7_replay import drill as s1_p7_replay
from runbook.symptoms.s2_drift import drill as s2_drift
from runbook.symptoms.s3_divergence import drill as s3_divergence
from runbook.symptoms.s4_empty_exports import drill as s4_empty_exports
from runbook.symptoms.s5_hash_mismatch import drill as s5_hash_mismatch
from runbook.symptoms.s6_replay_log import drill as s6_replay_log

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
