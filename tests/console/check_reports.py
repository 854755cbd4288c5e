"""Reports of audit, acceptance and release, and their event streams, as an engine leaves them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pipeline.contracts import check_index, paths
from tests.console.states import NOW
from tests.console.workspaces import write

AUDIT = paths.AUDIT_DATA
ACCEPTANCE = paths.ACCEPTANCE_DATA
FREEZE = paths.RELEASE_FREEZE_DATA
AUDIT_EVENTS = paths.REPORTS / "phase8-full-audit-events.jsonl"
FREEZE_EVENTS = paths.REPORTS / "release-freeze-events.jsonl"
HEAD = "73f242e19b0c4b6f8d2a5e7c9b1d3f5a7c9e1b3d"
_REQUIRED = (
    "P0.recon-doc", "P1.versions-pinned", "P1.validators-hold", "P2.dry-run", "P2.conserves", "P2.provenance",
    "P3.distribution", "P3.coverage", "P4.sft-firewall", "P4.preference-pairs", "P4.exports-valid",
    "P4.quarantine-balances", "P5.summary-valid", "P5.receipts-match", "P6.acceptance", "P7.replay",
)  # fmt: skip
GATES = tuple(spec.id for spec in check_index.GATES)


def iso(seconds: float) -> str:
    from pipeline.contracts.moments import iso_utc

    text = iso_utc(seconds)
    assert text is not None
    return text


def result(check_id: str, status: str = "pass", *, phase: str = "", **changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "id": check_id,
        "phase": phase or check_id.partition(".")[0],
        "required": True,
        "status": status,
        "examined": 12_703,
        "failed": 0,
        "threshold": "0 failed",
        "observed": "0 failed",
        "detail": "",
        "examples": [],
        "reproduce": f"distill audit-full --check {check_id}",
        "elapsed_seconds": 0.4,
    }
    return known | changes


def leak(**changes: Any) -> dict[str, Any]:
    """The one failure that matters most, with an example that carries hostile text."""
    known = {
        "examined": 2_764,
        "failed": 1,
        "observed": "BREACH, 1 finding",
        "detail": "1 forbidden row: lineage 1",
        "examples": [
            {
                "file": "exports/sft/instruction_response.jsonl",
                "line": 2_763,
                "run_id": "taubench_airline/bab68815",
                "text": "\x1b[31mscored rejected\u202e",
            }
        ],
    }
    return result("P4.sft-firewall", "fail", **{**known, **changes})


def report(
    kind: str, checks: list[dict[str, Any]], *, finished: float = NOW - 18_720, **changes: Any
) -> dict[str, Any]:
    bad = [check for check in checks if check["required"] and check["status"] not in ("pass", "warn")]
    known: dict[str, Any] = {
        "schema_version": 1,
        "kind": kind,
        "ok": not bad,
        "exit_code": 1 if bad else 0,
        "verdict": f"{kind}: PASS",
        "started_at": iso(finished - 36),
        "finished_at": iso(finished),
        "elapsed_seconds": 36.0,
        "checks": checks,
        "drift": [],
        "notes": [],
    }
    return known | changes


def audit_checks(**replaced: dict[str, Any]) -> list[dict[str, Any]]:
    """All sixteen, passed, but for those that are ``replaced`` by id (dots written as ``__``)."""
    by_id = {name.replace("__", ".").replace("_", "-"): check for name, check in replaced.items()}
    checks = [by_id.get(name, result(name)) for name in _REQUIRED]
    source = result("P0.source-mint_runs", "info", phase="P0", required=False, observed="1,560 lines")
    return [checks[0], source, *checks[1:]]


def acceptance_checks() -> list[dict[str, Any]]:
    return [
        result(
            f"A{number:02d}",
            phase="P6",
            reproduce=f"distill acceptance --check A{number:02d}",
            examined=number,
        )
        for number in range(1, 23)
    ]


def gates(**statuses: str) -> list[dict[str, Any]]:
    return [
        result(
            gate, statuses.get(gate, "pass"), phase="P9",
            reproduce="distill release-freeze", observed="22/22, exit 0", examined=1,
        )
        for gate in GATES
    ]  # fmt: skip


def freeze(checks: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    known = {"tag": "distillation-v1.0.1", "git": {"head": HEAD, "branch": "main", "dirty": False}}
    return report("release-freeze", checks, **{**known, **changes})


def audited(root: Path, *, failing: bool = True) -> Path:
    checks = audit_checks(P4__sft_firewall=leak()) if failing else audit_checks()
    write(root, AUDIT, report("audit-full", checks))
    write(root, ACCEPTANCE, report("acceptance", acceptance_checks(), finished=NOW - 19_000))
    return root


def events(
    command: str,
    checks: list[dict[str, Any]],
    *,
    started: float = NOW - 31,
    pid: int | None = None,
    ended: int | None = None,
    host: str = os.uname().nodename,
) -> str:
    """A stream with these results; without ``ended``, the exit code, it has no last event."""
    lines: list[dict[str, Any]] = [
        {
            "type": "run.started", "at": iso(started), "pipeline_run_id": "x", "command": command,
            "workspace": "/w", "pid": os.getpid() if pid is None else pid, "host": host, "user": "jun",
        }
    ]  # fmt: skip
    lines += [{"type": "check.result", "at": iso(started + 1), "check": check} for check in checks]
    if ended is not None:
        lines.append(
            {"type": "run.finished", "at": iso(started + 2), "ok": ended == 0, "exit_code": ended,
             "fault": {"what_happened": "no room on the disk"}}
        )  # fmt: skip
    return "".join(json.dumps({"seq": seq, **line}) + "\n" for seq, line in enumerate(lines, start=1))
