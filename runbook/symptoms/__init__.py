"""Every symptom, worst first: each can be detected, diagnosed, repaired, verified and taken back."""

from __future__ import annotations

from runbook.symptom import Symptom
from runbook.symptoms.engine_wont_start import diagnose as engine_wont_start
from runbook.symptoms.last_nuclear import diagnose as last_nuclear
from runbook.symptoms.s1_p0_recon_doc import diagnose as s1_p0_recon_doc
from runbook.symptoms.s1_p0_source_missing import diagnose as s1_p0_source_missing
from runbook.symptoms.s1_p1_schema import diagnose as s1_p1_schema
from runbook.symptoms.s1_p2_materialize import diagnose as s1_p2_materialize
from runbook.symptoms.s1_p3_distribution import diagnose as s1_p3_distribution
from runbook.symptoms.s1_p4_self_pair import diagnose as s1_p4_self_pair
from runbook.symptoms.s1_p4_sft_leak import diagnose as s1_p4_sft_leak
from runbook.symptoms.s1_p5_summary import diagnose as s1_p5_summary
from runbook.symptoms.s1_p6_acceptance import diagnose as s1_p6_acceptance
from runbook.symptoms.s1_p7_replay import diagnose as s1_p7_replay
from runbook.symptoms.s2_drift import diagnose as s2_drift
from runbook.symptoms.s3_divergence import diagnose as s3_divergence
from runbook.symptoms.s4_empty_exports import diagnose as s4_empty_exports
from runbook.symptoms.s5_hash_mismatch import diagnose as s5_hash_mismatch
from runbook.symptoms.s6_replay_log import diagnose as s6_replay_log

SYMPTOMS: tuple[Symptom, ...] = (
    s1_p4_sft_leak.SYMPTOM,
    engine_wont_start.SYMPTOM,
    s5_hash_mismatch.SYMPTOM,
    last_nuclear.SYMPTOM,
    s1_p0_recon_doc.SYMPTOM,
    s1_p1_schema.SYMPTOM,
    s1_p6_acceptance.SYMPTOM,
    s3_divergence.SYMPTOM,
    s1_p2_materialize.SYMPTOM,
    s1_p3_distribution.SYMPTOM,
    s1_p4_self_pair.SYMPTOM,
    s1_p5_summary.SYMPTOM,
    s1_p7_replay.SYMPTOM,
    s4_empty_exports.SYMPTOM,
    s2_drift.SYMPTOM,
    s6_replay_log.SYMPTOM,
    s1_p0_source_missing.SYMPTOM,
)
