"""``distill score``: P3 on the written evidence, or with ``--what-if`` what other thresholds would do."""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.commands.run_report import carry_out
from pipeline.contracts.faults import ExitCode
from pipeline.engine.score_stage import run_score


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    if arguments.what_if:
        return _what_if(arguments.what_if, context)
    settings = context.settings().settings
    request = context.request(arguments)
    return carry_out(
        context,
        "the last scored runs are in place",
        lambda: run_score(context.workspace, settings, request),
    )


def _what_if(changes: list[str], context: CommandContext) -> int:
    from pipeline.commands.what_if_report import data_of, print_what_if
    from pipeline.what_if import changed_thresholds, what_if

    settings = context.settings().settings
    found = what_if(context.workspace, settings, changed_thresholds(settings.scoring, changes))
    if context.json:
        context.out_json(data_of(found))
    else:
        print_what_if(context, found)
    return ExitCode.OK
