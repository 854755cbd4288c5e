"""``distill audit-full``: the required checks on the real data, and the drift table."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.commands.context import CommandContext
from pipeline.commands.result_tables import print_checks, print_drift, tell_errors
from pipeline.contracts import paths
from pipeline.contracts.checks import DriftRow
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from pipeline.contracts.checks import CheckResult


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    from pipeline.audit.full import audit_report, run_audit
    from pipeline.audit.p5_journals import remember_journals
    from pipeline.audit.shared_view import shared_view
    from pipeline.checks.report import write_report
    from pipeline.checks.session import check_session

    settings = context.settings().settings
    handed_on = arguments.acceptance_report
    whole = not arguments.check
    with (
        shared_view(context.workspace, context.argv) as settled,
        check_session(
            context.workspace,
            paths.AUDIT_EVENTS if whole else None,
            context.request(arguments),
            [f"P{number}" for number in range(8)],
        ) as session,
    ):
        audit = run_audit(
            context.workspace,
            settings,
            session,
            only=arguments.check,
            acceptance_report=Path(handed_on).absolute() if handed_on else None,
        )
        if settled:
            audit.notes.append(settled)
        if whole:
            from pipeline.audit.drift_table import add_drift

            add_drift(audit, session.events, append=not arguments.no_append)
        report = audit_report(audit, session)
        if whole:
            remember_journals(audit.view, report)
            write_report(context.workspace, paths.AUDIT_REPORT, report)
        session.exit_code, session.run_hash = report["exit_code"], report["run_hash"]
    if context.json:
        context.out_json(report)
    else:
        _print(context, audit.results, report, whole=whole)
    tell_errors(context, audit.results)
    if audit.blind is not None:
        context.fault(audit.blind)
    return int(report["exit_code"])


def _print(
    context: CommandContext, results: list[CheckResult], report: dict[str, Any], *, whole: bool
) -> None:
    print_checks(context, results)
    flagged = [row for row in report["drift"] if row["status"] in ("warn", "missing")]
    if flagged:
        print_drift(context, map(DriftRow.model_validate, flagged))
    if whole:
        told = Counter(row["status"] for row in report["drift"])
        context.out(f"drift  {', '.join(f'{count} {status}' for status, count in sorted(told.items()))}")
    for note in report["notes"]:
        context.note(visible(note))
    if whole:
        context.note(f"report: {visible(str(context.workspace / paths.AUDIT_REPORT))}")
    else:
        context.note("a part of the audit: no report was written")
    context.out(visible(report["verdict"]))
