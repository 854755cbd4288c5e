"""P4.sft-firewall: what the installed firewall says of the live SFT file, asked as a process.

Neither this engine's code nor its reading of the files is lent to it.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import orjson

from pipeline.checks.runner import Outcome
from pipeline.contracts.checks import CheckStatus, Example
from pipeline.contracts.discovery import firewall_argv, firewall_environment
from pipeline.contracts.faults import ExitCode

TIMEOUT_SECONDS = 600.0


def sft_firewall(workspace: Path) -> Outcome:
    """Examines rows of the SFT file. ABSENT, and a file without rows, is not evaluated.

    Raises RuntimeError when the firewall gives no verdict, and subprocess.TimeoutExpired.
    """
    finished = subprocess.run(
        firewall_argv(["--json", "-C", str(workspace)]),
        env=firewall_environment(),
        cwd="/",
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    try:
        report: dict[str, Any] = orjson.loads(finished.stdout)
        state, rows, findings = report["state"], int(report["rows_read"]), int(report["findings_count"])
    except (ValueError, KeyError, TypeError) as error:
        said = finished.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RuntimeError(f"the firewall gave no verdict: {said[0] if said else 'nothing'}") from error
    status = {"CLEAR": None, "ABSENT": CheckStatus.NOT_EVALUATED}.get(state, CheckStatus.ERROR)
    if finished.returncode == ExitCode.FIREWALL_BREACH or findings:
        status = CheckStatus.FAIL
    return Outcome(
        examined=rows,
        failed=findings,
        observed=f"{state}, {findings:,} findings",
        detail=_detail(report),
        threshold="CLEAR, 0 findings",
        examples=tuple(
            Example(
                file=finding["file"],
                line=finding["line"],
                run_id=finding["run_id"],
                text=f"{finding['wall']}: {finding['detail']}",
            )
            for finding in report["findings"][:10]
        ),
        status=status,
    )


def _detail(report: dict[str, Any]) -> str:
    walls = ", ".join(f"{wall} {count:,}" for wall, count in report["by_wall"].items())
    pieces = [f"{report['rows_read']:,} rows read", walls, report["detail"], _cause(report["cause"])]
    return "; ".join(piece for piece in pieces if piece)


def _cause(cause: str | None) -> str:
    return f"cause: {cause}" if cause else ""
