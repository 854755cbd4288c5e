"""``distill score``: P3 on the written evidence, or with ``--what-if`` what other thresholds would do."""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.commands.run_report import report
from pipeline.contracts.faults import ExitCode
from pipeline.engine.clock import checked_recorded_at
from pipeline.engine.run_session import InterruptedRunError
from pipeline.engine.score_stage import run_score


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    if arguments.what_if:
        return _what_if(arguments.what_if, context)
    recorded_at = checked_recorded_at(arguments.recorded_at)
    try:
        finished = run_score(
            context.workspace,
            context.settings().settings,
            argv=context.argv,
            recorded_at=recorded_at,
            events_writer=context.events,
            engine_source=context.engine_source,
        )
    except InterruptedRunError as stopped:
        context.note("stopped at a safe point; the last scored runs are in place")
        return stopped.exit_code
    report(context, finished)
    return finished.exit_code


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
