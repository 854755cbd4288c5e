"""Every symptom, worst first: each can be detected, diagnosed, repaired, verified and taken back."""

from __future__ import annotations

from runbook.symptom import Symptom
from runbook.symptoms import (
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
