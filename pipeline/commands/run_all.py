"""``distill run-all``: P2, P3 and P4 with receipts."""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.commands.run_options import run_options
from pipeline.commands.run_report import report
from pipeline.engine.clock import checked_recorded_at
from pipeline.engine.run_all import run_all
from pipeline.engine.run_session import InterruptedRunError


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    recorded_at = checked_recorded_at(arguments.recorded_at)
    settings = context.settings().settings
    options = run_options(arguments, settings)
    try:
        finished = run_all(
            context.workspace,
            settings,
            options,
            argv=context.argv,
            recorded_at=recorded_at,
            events_writer=context.events,
            engine_source=context.engine_source,
        )
    except InterruptedRunError as stopped:
        context.note("stopped at a safe point; the last outputs are in place, finished chunks are kept")
        return stopped.exit_code
    report(context, finished)
    return finished.exit_code
