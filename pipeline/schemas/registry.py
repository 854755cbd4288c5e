"""The index of the schemas: name, model, version, and the file that its rows are written to."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from pipeline.schemas import (
    baseline,
    evidence,
    incident_entry,
    preference,
    quarantined_row,
    rag,
    receipt,
    release_manifest,
    replay_run,
    run_summary,
    scored_run,
    sft,
    skip_row,
)


@dataclass(frozen=True)
class Schema:
    """One persisted format. ``written_to`` is relative to the workspace; ``<…>`` varies."""

    name: str
    model: type[BaseModel]
    version: int
    written_to: str


SCHEMAS: tuple[Schema, ...] = (
    Schema("evidence", evidence.EvidenceRecord, evidence.SCHEMA_VERSION, "data/evidence/<stream>.jsonl"),
    Schema("scored_run", scored_run.ScoredRun, scored_run.SCHEMA_VERSION, "data/scored-runs/<stream>.jsonl"),
    Schema("rag", rag.RagSample, rag.SCHEMA_VERSION, "exports/rag/playbooks.jsonl"),
    Schema("sft", sft.SftSample, sft.SCHEMA_VERSION, "exports/sft/instruction_response.jsonl"),
    Schema(
        "preference",
        preference.PreferenceSample,
        preference.SCHEMA_VERSION,
        "exports/preference/chosen_rejected.jsonl",
    ),
    Schema(
        "quarantined_row",
        quarantined_row.QuarantinedRow,
        quarantined_row.SCHEMA_VERSION,
        "exports/quarantine/<export>.jsonl",
    ),
    Schema("skip_row", skip_row.SkipRow, skip_row.SCHEMA_VERSION, "data/_kb/distillation_skips.jsonl"),
    Schema(
        "receipt",
        receipt.StageReceipt,
        receipt.SCHEMA_VERSION,
        "reports/distillation/<pipeline_run_id>/receipts/<stage>.json",
    ),
    Schema(
        "run_summary",
        run_summary.RunSummary,
        run_summary.SCHEMA_VERSION,
        "reports/distillation/<pipeline_run_id>/summary.json",
    ),
    Schema("baseline", baseline.AuditBaseline, baseline.SCHEMA_VERSION, "data/_kb/audit_baselines.jsonl"),
    Schema("replay_run", replay_run.ReplayRun, replay_run.SCHEMA_VERSION, "data/_kb/replay_runs.jsonl"),
    Schema(
        "release_manifest",
        release_manifest.ReleaseManifest,
        release_manifest.SCHEMA_VERSION,
        "reports/distillation/release-manifest.json",
    ),
    Schema(
        "incident_entry",
        incident_entry.IncidentEntry,
        incident_entry.SCHEMA_VERSION,
        "reports/incidents/<incident_id>/journal.jsonl",
    ),
)

BY_NAME = {schema.name: schema for schema in SCHEMAS}
