"""``distill export`` and its three siblings: P4 on the written evidence and verdicts."""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.commands.run_report import report
from pipeline.engine.clock import checked_recorded_at
from pipeline.engine.export_stage import ExportRequest, run_export
from pipeline.engine.run_session import InterruptedRunError
from pipeline.engine.stage_facts import EXPORT_KINDS


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    if arguments.format:
        from pipeline.formats.command import write_formats

        return write_formats(context, arguments.format)
    kind = arguments.command.removeprefix("export").removeprefix("-")
    recorded_at = checked_recorded_at(arguments.recorded_at)
    try:
        finished = run_export(
            context.workspace,
            context.settings().settings,
            ExportRequest((kind,) if kind else EXPORT_KINDS, arguments.allow_empty),
            command=arguments.command,
            argv=context.argv,
            recorded_at=recorded_at,
            events_writer=context.events,
            engine_source=context.engine_source,
        )
    except InterruptedRunError as stopped:
        context.note("stopped at a safe point; the last exports are in place")
        return stopped.exit_code
    report(context, finished)
    return finished.exit_code
