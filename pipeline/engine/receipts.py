"""What a run claims: one receipt a stage, and the summary that sums them up.

Receipts are built from what was counted while the bytes passed, and validated against their
schema before they are written. The summary is renamed into place last of all.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.engine.clock import monotonic, now_iso
from pipeline.engine.code_digest import ENGINE_VERSION, engine_digest
from pipeline.engine.output import Output
from pipeline.schemas.receipt import PHASE_OF_STAGE, StageReceipt
from pipeline.schemas.run_summary import RunSummary

STAGES = ("materialize", "score", "export")
STREAM_COUNTS = (
    "lines",
    "mapped",
    "looked_up",
    "skipped",
    "evidence",
    "accepted",
    "partially_accepted",
    "needs_human_review",
    "rejected",
)
CATEGORY_COUNTS = STREAM_COUNTS[5:]


@dataclass
class RunFacts:
    """What is true of the whole run and repeated in each receipt."""

    pipeline_run_id: str
    command: str
    recorded_at: str
    started_at: str
    settings_digest: str
    engine_source: str
    git: dict[str, Any] | None
    workers: int
    chunk_bytes: int
    warnings: list[str] = field(default_factory=list)


@dataclass
class Timing:
    """When a stage began and ended; durations from a clock that does not jump."""

    started_at: str = field(default_factory=now_iso)
    started: float = field(default_factory=monotonic)
    finished_at: str = ""
    elapsed_seconds: float = 0.0

    def end(self) -> None:
        self.finished_at = now_iso()
        self.elapsed_seconds = monotonic() - self.started


@dataclass
class StageFacts:
    """What one stage read, wrote and counted."""

    stage: str
    timing: Timing
    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    counts: Mapping[str, int]
    reasons: Mapping[str, int]
    by_stream: Mapping[str, Mapping[str, int]]
    ok: bool = True
    firewall: dict[str, Any] | None = None


def claim(output: Output) -> dict[str, Any]:
    """A FileClaim of an output."""
    return {
        "path": output.relative,
        "bytes": output.bytes,
        "rows": output.rows,
        "sha256": output.sha256,
        "rows_digest": output.rows_digest,
    }


def engine_claim(source: str) -> dict[str, Any]:
    return {"version": ENGINE_VERSION, "digest": engine_digest(), "source": source}


def stage_receipt(run: RunFacts, stage: StageFacts) -> dict[str, Any]:
    """A receipt as data, valid against its schema. Raises pydantic.ValidationError on a bug here."""
    receipt: dict[str, Any] = {
        "schema_version": 1,
        "pipeline_run_id": run.pipeline_run_id,
        "stage": stage.stage,
        "phase": PHASE_OF_STAGE[stage.stage],
        "ok": stage.ok,
        "inputs": stage.inputs,
        "outputs": stage.outputs,
        "counts": dict(stage.counts),
        "reasons": dict(sorted(stage.reasons.items())),
        "by_stream": {name: dict(counts) for name, counts in stage.by_stream.items()},
        "firewall": stage.firewall,
        "git": run.git,
        "engine": engine_claim(run.engine_source),
        "settings_digest": run.settings_digest,
        "recorded_at": run.recorded_at,
        "started_at": stage.timing.started_at,
        "finished_at": stage.timing.finished_at,
        "elapsed_seconds": round(stage.timing.elapsed_seconds, 6),
        "carried_from": None,
    }
    StageReceipt.model_validate(receipt)
    return receipt


def carried(receipt: Mapping[str, Any], run: RunFacts) -> dict[str, Any]:
    """A verified receipt of an earlier run, repeated in this one."""
    origin = receipt["carried_from"] or receipt["pipeline_run_id"]
    again = {**receipt, "pipeline_run_id": run.pipeline_run_id, "carried_from": origin}
    StageReceipt.model_validate(again)
    return again


def encode(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n"


def receipt_path(pipeline_run_id: str, stage: str) -> str:
    return str(paths.receipts_folder(pipeline_run_id) / f"{stage}.json")


def run_summary(
    run: RunFacts,
    receipts: Iterable[Mapping[str, Any]],
    *,
    finished_at: str,
    elapsed_seconds: float,
    run_hash: str | None,
    exit_code: int,
    committed: bool = True,
    chunks_total: int = 0,
    chunks_processed: int = 0,
) -> dict[str, Any]:
    """The summary as data, valid against its schema.

    A run that committed ends with another code than 0 when what stood before it is in doubt.
    """
    by_stage = {receipt["stage"]: receipt for receipt in receipts}
    streams = stream_counts(by_stage)
    summary: dict[str, Any] = {
        "schema_version": 1,
        "pipeline_run_id": run.pipeline_run_id,
        "command": run.command,
        "ok": committed,
        "exit_code": exit_code,
        "run_hash": run_hash,
        "recorded_at": run.recorded_at,
        "started_at": run.started_at,
        "finished_at": finished_at,
        "elapsed_seconds": round(elapsed_seconds, 6),
        "stages": [
            {
                "stage": stage,
                "receipt": receipt_path(run.pipeline_run_id, stage),
                "sha256": hashlib.sha256(encode(receipt)).hexdigest(),
                "ok": receipt["ok"],
                "carried_from": receipt["carried_from"],
            }
            for stage, receipt in by_stage.items()
        ],
        "counts": run_counts(by_stage, streams, chunks_total, chunks_processed),
        "streams": streams,
        "warnings": run.warnings,
        "git": run.git,
        "engine": engine_claim(run.engine_source),
        "settings_digest": run.settings_digest,
        "workers": run.workers,
        "chunk_bytes": run.chunk_bytes,
    }
    RunSummary.model_validate(summary)
    return summary


def stream_counts(receipts: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Per stream, what P2 counted of its lines and P3 of its verdicts."""
    streams: dict[str, dict[str, int]] = {}
    for stage in ("materialize", "score"):
        for name, counts in receipts.get(stage, {}).get("by_stream", {}).items():
            of_stream = streams.setdefault(name, dict.fromkeys(STREAM_COUNTS, 0))
            of_stream.update({key: count for key, count in counts.items() if key in STREAM_COUNTS})
    return streams


def run_counts(
    receipts: Mapping[str, Mapping[str, Any]],
    streams: Mapping[str, Mapping[str, int]],
    chunks_total: int,
    chunks_processed: int,
) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for counts in streams.values():
        totals.update(counts)
    scored = receipts.get("score", {}).get("counts", {})
    exported = receipts.get("export", {}).get("counts", {})
    return {
        **{name: totals[name] for name in STREAM_COUNTS[:5]},
        "scored": scored.get("rows_out", 0),
        **{name: totals[name] for name in CATEGORY_COUNTS},
        **{name: exported.get(name, 0) for name in paths.EXPORT_FILES},
        **{f"quarantined_{name}": exported.get(f"quarantined_{name}", 0) for name in paths.EXPORT_FILES},
        "chunks_total": chunks_total,
        "chunks_processed": chunks_processed,
    }
