"""After scoring again: does the standing SFT file still hold only what may be trained on?

A row that it holds may be rejected by now. That is a breach like any other, with the cause
``stale_export``: it is told at once, and the exports' manifest is voided.
"""

from __future__ import annotations

import subprocess

import orjson

from pipeline.contracts import events, paths
from pipeline.contracts.discovery import firewall_argv, firewall_environment
from pipeline.contracts.faults import ExitCode
from pipeline.engine.export_manifest import void
from pipeline.engine.run_session import Session


def look_again(session: Session) -> int:
    """Forbidden rows in the standing SFT file, 0 without one. Raises StorageError."""
    if not (session.workspace / paths.SFT_EXPORT).exists():
        return 0
    finished = subprocess.run(
        firewall_argv(["--json", "-C", str(session.workspace)]),
        env=firewall_environment(),
        capture_output=True,
        check=False,
        cwd="/",
    )
    if finished.returncode != ExitCode.FIREWALL_BREACH:
        return 0
    report = orjson.loads(finished.stdout)
    findings = int(report["findings_count"])
    session.events.emit(
        events.FirewallState,
        state="BREACH",
        file=str(paths.SFT_EXPORT),
        rows_read=int(report["rows_read"]),
        findings_count=findings,
        by_wall=report["by_wall"],
        findings=tuple(map(events.FirewallFinding.model_validate, report["findings"][:10])),
        cause="stale_export",
    )
    void(session.workspace, "scored again: rows that it holds are not allowed any more")
    return findings
