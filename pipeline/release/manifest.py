"""The release manifest, flat for operators' scripts, and the same as an in-toto Statement.

A manifest is evidence of integrity, not of authorship: it is not signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.checks import CheckResult, CheckStatus
from pipeline.drift.baselines import read_baselines
from pipeline.engine.clock import now_iso
from pipeline.engine.last_run import committed_summaries
from pipeline.engine.receipts import encode, engine_claim
from pipeline.schemas.release_manifest import ReleaseManifest
from pipeline.storage.digests import sha256_of_file

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
_STATUS = {CheckStatus.WARN: "pass", CheckStatus.INFO: "pass"}


def release_manifest(
    workspace: Path,
    *,
    tag: str,
    head: str,
    branch: str | None,
    phase_commits: Mapping[str, str],
    gates: Sequence[CheckResult],
    ok: bool,
    engine_source: str,
) -> dict[str, Any]:
    """The manifest as data, valid against its schema. Raises OSError, InputError."""
    summary = next(committed_summaries(workspace), {})
    counts = summary.get("counts", {})
    rows = read_baselines(workspace).rows
    latest = (
        {name: value for name, value in rows[-1].items() if name not in ("line", "line_sha256")}
        if rows
        else None
    )
    moment = now_iso()
    manifest = {
        "schema_version": 1,
        "ok": ok,
        "tag": tag,
        "git_head": head,
        "git_branch": branch,
        "released_at": moment,
        "phase_commits": dict(phase_commits),
        "dataset_counts": {
            **{name: counts.get(name, 0) for name in (*paths.EXPORT_FILES, "evidence", "scored")},
            "quarantined": sum(counts.get(f"quarantined_{name}", 0) for name in paths.EXPORT_FILES),
        },
        "exports": {
            str(relative): sha256_of_file(workspace / relative)
            for relative in paths.EXPORT_FILES.values()
            if (workspace / relative).exists()
        },
        "run_hash": summary.get("run_hash"),
        "latest_baseline": latest,
        "gates": [
            {
                "name": gate.id,
                "status": _STATUS.get(gate.status, gate.status.value),
                "detail": gate.detail,
                "elapsed_seconds": gate.elapsed_seconds or 0.0,
            }
            for gate in gates
        ],
        "engine": engine_claim(engine_source),
        "recorded_at": moment,
    }
    ReleaseManifest.model_validate(manifest)
    return manifest


def statement(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest as an in-toto Statement v1: subjects are the exports, the commit and the manifest itself.

    The last one carries the whole manifest in its annotations: the predicate has no room for other members.
    """
    by_status: dict[str, list[str]] = {"pass": [], "fail": []}
    for gate in manifest["gates"]:
        by_status["pass" if gate["status"] == "pass" else "fail"].append(gate["name"])
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            *({"name": path, "digest": {"sha256": digest}} for path, digest in manifest["exports"].items()),
            {"name": f"git+{manifest['tag']}", "digest": {"gitCommit": manifest["git_head"]}},
            {
                "name": str(paths.RELEASE_MANIFEST),
                "digest": {"sha256": hashlib.sha256(encode(manifest)).hexdigest()},
                "mediaType": "application/json",
                "annotations": {"manifest": dict(manifest)},
            },
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": "PASSED" if manifest["ok"] else "FAILED",
            "configuration": [{"name": "engine", "digest": {"sha256": manifest["engine"]["digest"]}}],
            "passedTests": by_status["pass"],
            "warnedTests": [],
            "failedTests": by_status["fail"],
        },
    }
