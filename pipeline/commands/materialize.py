"""``distill materialize``: P2 alone; ``--dry-run`` writes nothing and shows what would come out."""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.commands.run_options import run_options
from pipeline.commands.run_report import report
from pipeline.contracts.faults import ExitCode, Fault, SettingsError
from pipeline.engine.clock import checked_recorded_at
from pipeline.engine.run_all import run_all
from pipeline.engine.run_session import InterruptedRunError


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    settings = context.settings().settings
    names = [stream.name for stream in settings.streams]
    if arguments.stream is not None and arguments.stream not in names:
        raise SettingsError(
            Fault(
                code="unknown_stream",
                what_happened=f"There is no stream {arguments.stream!r} in distill.toml.",
                kept_safe="Nothing was changed.",
                do_next=f"Name one of: {', '.join(names) or 'none is declared'}",
                value=arguments.stream,
            )
        )
    if arguments.dry_run:
        from pipeline.commands.streams import print_survey

        return print_survey(context, settings, names if arguments.stream is None else [arguments.stream])
    options = run_options(arguments, settings)
    try:
        finished = run_all(
            context.workspace,
            settings,
            options,
            stages=("materialize",),
            only_stream=arguments.stream,
            command="materialize",
            argv=context.argv,
            recorded_at=checked_recorded_at(arguments.recorded_at),
            events_writer=context.events,
            engine_source=context.engine_source,
        )
    except InterruptedRunError as stopped:
        context.note("stopped at a safe point; the last evidence is in place, finished chunks are kept")
        return stopped.exit_code
    report(context, finished)
    return ExitCode.OK
