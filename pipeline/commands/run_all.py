"""``distill run-all``: P2, P3 and P4 with receipts."""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.commands.run_options import run_options
from pipeline.commands.run_report import carry_out
from pipeline.engine.run_all import run_all


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    settings = context.settings().settings
    options = run_options(arguments, settings)
    request = context.request(arguments)
    return carry_out(
        context,
        "the last outputs are in place, finished chunks are kept",
        lambda: run_all(context.workspace, settings, request, options),
    )
