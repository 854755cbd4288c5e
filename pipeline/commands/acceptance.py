"""``distill acceptance``: 22 invariants on the fixture, in a temp root of its own."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pipeline.commands.context import CommandContext
from pipeline.commands.result_tables import print_checks, tell_errors
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from pipeline.contracts.checks import CheckResult


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    from pipeline.acceptance.gate import TerminatedError, accept, acceptance_report
    from pipeline.checks.report import write_report
    from pipeline.checks.session import check_session

    whole = not arguments.check
    events_file = paths.ACCEPTANCE_EVENTS if whole else None
    with check_session(context.workspace, events_file, context.request(arguments), ["P6"]) as session:
        try:
            acceptance = accept(context.workspace, session, only=arguments.check, keep=arguments.keep)
        except TerminatedError:
            session.exit_code = ExitCode.TERMINATED
            return ExitCode.TERMINATED
        report = acceptance_report(acceptance, session)
        if whole:
            write_report(context.workspace, paths.ACCEPTANCE_REPORT, report)
        session.exit_code, session.run_hash = report["exit_code"], report["run_hash"]
    if context.json:
        context.out_json(report)
    else:
        _print(context, acceptance.results, report, whole=whole)
    tell_errors(context, acceptance.results)
    return int(report["exit_code"])


def _print(
    context: CommandContext, results: list[CheckResult], report: dict[str, Any], *, whole: bool
) -> None:
    print_checks(context, results)
    for note in report["notes"]:
        context.out(visible(note))
    kept = "kept" if report["temp_root_kept"] else "removed"
    context.note(f"temp root ({kept}): {visible(report['temp_root'])}")
    if whole:
        context.note(f"report: {visible(str(context.workspace / paths.ACCEPTANCE_REPORT))}")
    else:
        context.note("a part of the gate: no report was written")
    context.out(f"{visible(report['verdict'])} · {report['elapsed_seconds']:.1f} s")
