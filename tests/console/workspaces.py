"""Workspaces on disk as a run leaves them, made without the engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from console.reading.workspace_reader import WorkspaceReader
from pipeline.contracts import paths
from pipeline.contracts.status import PhaseStatus, WorkspaceStatus

RUN_ID = "20260427T060000Z-9f31"
FINISHED = datetime(2026, 4, 27, 6, 0, 2, tzinfo=UTC)
# Long before any file that a test writes, unless the test stamps it.
NOW = FINISHED.timestamp() + 60
COUNTS = {
    "lines": 12,
    "mapped": 10,
    "looked_up": 1,
    "skipped": 1,
    "evidence": 10,
    "scored": 10,
    "accepted": 4,
    "partially_accepted": 1,
    "needs_human_review": 2,
    "rejected": 3,
    "rag": 5,
    "sft": 4,
    "preference": 2,
    "quarantined_rag": 5,
    "quarantined_sft": 6,
    "quarantined_preference": 6,
    "chunks_total": 2,
    "chunks_processed": 2,
}
STREAM_COUNTS = ("lines", "mapped", "looked_up", "skipped", "evidence", "accepted", "rejected")


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def write(root: Path, relative: object, data: bytes | str | dict[str, Any]) -> Path:
    path = root / str(relative)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, dict):
        data = json.dumps(data)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def claim(root: Path, relative: object) -> dict[str, Any]:
    data = (root / str(relative)).read_bytes()
    return {
        "path": str(relative),
        "bytes": len(data),
        "rows": data.count(b"\n"),
        "sha256": hashlib.sha256(data).hexdigest(),
        "rows_digest": None,
    }


def empty_workspace(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    write(
        root,
        paths.SETTINGS,
        '[workspace]\nname = "night"\n[[stream]]\nname = "taubench"\npath = "data/_kb/taubench*.jsonl"\n'
        'fields = { task_id = "task", instruction = "ask", response = "said" }\n',
    )
    write(root, paths.RECON_DOC, "# recon\n")
    write(root, "data/_kb/taubench.jsonl", '{"task": 1}\n' * 12)
    return root


def workspace_after_a_run(
    root: Path, *, counts: dict[str, int] | None = None, run_id: str = RUN_ID, finished: datetime = FINISHED
) -> Path:
    """A workspace whose one run committed; every claim agrees with the disk."""
    empty_workspace(root)
    write(root, paths.evidence_file("taubench"), '{"run_id": "a"}\n' * 10)
    write(root, paths.scored_file("taubench"), '{"run_id": "a"}\n' * 10)
    for name in (paths.RAG_EXPORT, paths.SFT_EXPORT, paths.PREFERENCE_EXPORT):
        write(root, name, '{"id": "x"}\n' * 4)
    add_run(root, counts=counts, run_id=run_id, finished=finished)
    return root


def add_run(
    root: Path,
    *,
    counts: dict[str, int] | None = None,
    run_id: str = RUN_ID,
    finished: datetime = FINISHED,
    ok: bool = True,
    exit_code: int = 3,
    command: str = "run-all",
) -> None:
    """A run folder that claims what is on disk now."""
    files: dict[str, tuple[Sequence[PurePosixPath | str], Sequence[PurePosixPath | str], str]] = {
        "materialize": (["data/_kb/taubench.jsonl"], [paths.evidence_file("taubench")], "P2"),
        "score": ([paths.evidence_file("taubench")], [paths.scored_file("taubench")], "P3"),
        "export": ([paths.scored_file("taubench")], [paths.RAG_EXPORT, paths.SFT_EXPORT], "P4"),
    }
    stages = []
    for stage, (inputs, outputs, phase) in files.items():
        relative = paths.receipts_folder(run_id) / f"{stage}.json"
        receipt: dict[str, Any] = {
            "schema_version": 1,
            "pipeline_run_id": run_id,
            "stage": stage,
            "phase": phase,
            "ok": ok,
            "inputs": [claim(root, name) for name in inputs],
            "outputs": [claim(root, name) for name in outputs],
            "started_at": iso(finished - timedelta(seconds=2)),
            "finished_at": iso(finished),
            "elapsed_seconds": 0.5,
            "firewall": None,
        }
        if stage == "export":
            sha = receipt["outputs"][1]["sha256"]
            receipt["firewall"] = {"state": "CLEAR", "findings": 0, "sft_sha256": sha}
        path = write(root, relative, receipt)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        stages.append(
            {"stage": stage, "receipt": str(relative), "sha256": digest, "ok": ok, "carried_from": None}
        )
    all_counts = {**COUNTS, **(counts or {})}
    write(
        root,
        paths.summary_file(run_id),
        {
            "schema_version": 1,
            "pipeline_run_id": run_id,
            "command": command,
            "ok": ok,
            "exit_code": 0 if ok else exit_code,
            "run_hash": "9f31c2d7" * 8 if ok else None,
            "started_at": iso(finished - timedelta(seconds=2)),
            "finished_at": iso(finished),
            "elapsed_seconds": 2.0,
            "stages": stages,
            "counts": all_counts,
            "streams": {"taubench": {name: all_counts[name] for name in STREAM_COUNTS}},
            "warnings": [],
            "engine": {"version": "0.1.0", "digest": "0" * 64, "source": "installed"},
        },
    )


def audit(
    checks: list[dict[str, Any]], *, finished: datetime = FINISHED, drift: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {"finished_at": iso(finished), "elapsed_seconds": 36.0, "checks": checks, "drift": drift or []}


def check(check_id: str, status: str = "pass", *, required: bool = True) -> dict[str, Any]:
    return {
        "id": check_id,
        "phase": check_id.partition(".")[0],
        "required": required,
        "status": status,
        "examined": 3,
        "failed": 0,
        "elapsed_seconds": 0.1,
    }


def read(root: Path, now: float = NOW) -> WorkspaceStatus:
    return WorkspaceReader(root).read(now)


def phase(status: WorkspaceStatus, phase_id: str) -> PhaseStatus:
    return next(known for known in status.phases if known.id == phase_id)


def symptoms(status: WorkspaceStatus) -> list[str]:
    return [symptom.id for symptom in status.symptoms]
