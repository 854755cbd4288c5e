"""``distill materialize``: P2 alone; ``--dry-run`` writes nothing and shows what would come out."""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.commands.run_options import run_options
from pipeline.commands.run_report import carry_out
from pipeline.commands.streams import chosen_streams, print_survey
from pipeline.engine.run_all import run_all


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    settings = context.settings().settings
    names = chosen_streams(settings, arguments.stream)
    if arguments.dry_run:
        return print_survey(context, settings, names)
    options = run_options(arguments, settings)
    request = context.request(arguments)
    return carry_out(
        context,
        "the last evidence is in place, finished chunks are kept",
        lambda: run_all(
            context.workspace,
            settings,
            request,
            options,
            stages=("materialize",),
            only_stream=arguments.stream,
        ),
    )
