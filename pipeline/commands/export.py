"""``distill export`` and its three siblings: P4 on the written evidence and verdicts."""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.commands.run_report import carry_out
from pipeline.engine.export_stage import run_export
from pipeline.engine.stage_facts import EXPORT_KINDS


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    if arguments.format:
        # Not at the top: pyarrow takes a moment, and the exports need none of it.
        from pipeline.formats.command import write_formats

        return write_formats(context, arguments.format, lambda: context.settings().settings.export)
    kind = arguments.command.removeprefix("export").removeprefix("-")
    kinds = (kind,) if kind else EXPORT_KINDS
    settings = context.settings().settings
    request = context.request(arguments)
    return carry_out(
        context,
        "the last exports are in place",
        lambda: run_export(
            context.workspace,
            settings,
            request,
            kinds,
            allow_empty=arguments.allow_empty,
            allow_shrink=arguments.allow_shrink,
        ),
    )
