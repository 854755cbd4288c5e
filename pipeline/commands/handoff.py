"""``distill handoff``: write the page for whoever arrives cold."""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.contracts.faults import ExitCode
from pipeline.release.handoff import HANDOFF, page, write_handoff


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    settings = context.settings().settings
    if arguments.only_print:
        context.out(page(context.workspace, settings))
        return ExitCode.OK
    write_handoff(context.workspace, settings)
    if context.json:
        context.out_json({"path": str(HANDOFF)})
    else:
        context.out(f"wrote {HANDOFF}")
    return ExitCode.OK
