"""``distill release-freeze``: six gates and a manifest. Nothing is tagged."""

from __future__ import annotations

import argparse

from pipeline.checks.session import check_session
from pipeline.commands.context import CommandContext
from pipeline.commands.result_tables import print_checks, tell_errors
from pipeline.contracts import paths
from pipeline.contracts.checks import CheckResult
from pipeline.contracts.untrusted import visible
from pipeline.release.freeze import freeze


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    settings = context.settings().settings
    with check_session(
        context.workspace, paths.RELEASE_FREEZE_EVENTS, context.request(arguments), ("P9",)
    ) as session:
        frozen = freeze(context.workspace, settings, session, arguments.tag)
        session.exit_code = frozen.exit_code
    results = [CheckResult.model_validate(gate) for gate in frozen.report["checks"]]
    if context.json:
        context.out_json(frozen.report)
        tell_errors(context, results)
        return frozen.exit_code
    print_checks(context, results)
    for note in frozen.report["notes"]:
        context.note(visible(note))
    context.out(visible(frozen.report["verdict"]))
    if frozen.tag_command is not None:
        context.out(frozen.tag_command)
    tell_errors(context, results)
    return frozen.exit_code
