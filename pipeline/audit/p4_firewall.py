"""P4.sft-firewall: what the installed firewall says of the live SFT file, asked as a process.

Neither this engine's code nor its reading of the files is lent to it.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.checks.runner import Outcome
from pipeline.contracts.checks import CheckStatus, Example
from pipeline.contracts.plurals import plural
from pipeline.platform.firewall import Absent, Breach, Clear, Report, Unknown, ask_firewall
from pipeline.reading.firewall_words import firewall_status

_EXAMPLES = 10


def sft_firewall(workspace: Path) -> Outcome:
    """Examines rows of the SFT file. ABSENT, and a file without rows, is not evaluated.

    ``failed`` counts forbidden rows, and files that no receipt accounts for. No answer is an error.
    """
    answer = ask_firewall(workspace)
    report = answer.report
    status: CheckStatus | None = None
    observed, detail = answer.state, _detail(report)
    match answer:
        case Clear():
            pass
        case Absent():
            status = CheckStatus.NOT_EVALUATED
        case Unknown(why):
            status, detail = CheckStatus.ERROR, why
        case Breach():
            status, observed = CheckStatus.FAIL, f"{answer.state}, {report.found}"
    return Outcome(
        examined=report.rows_read,
        failed=report.forbidden_rows + report.forbidden_files,
        observed=observed,
        detail=detail,
        threshold="CLEAR, 0 forbidden rows",
        examples=tuple(
            Example(
                file=finding.get("file"),
                line=finding.get("line"),
                run_id=finding.get("run_id"),
                text=f"{finding.get('wall')}: {finding.get('detail')}",
            )
            for finding in report.findings[:_EXAMPLES]
        ),
        status=status,
    )


def _detail(report: Report) -> str:
    walls = ", ".join(f"{wall} {count:,}" for wall, count in report.by_wall.items())
    findings = f"findings by wall: {walls}" if walls else ""
    cause = f"cause: {report.cause}" if report.cause else ""
    held = firewall_status(report.said, 0.0).said_of_walls
    said = (f"{plural(report.rows_read, 'row')} read", findings, *held, report.detail, cause)
    return "; ".join(filter(None, said))
