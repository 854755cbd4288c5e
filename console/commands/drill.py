"""``distill drill``: handed to the runbook; a drill that was started here is opened here."""

from __future__ import annotations

import argparse

from console.cli.invocation import Invocation
from runbook.commands import drill

_ARMED_BECAUSE = "drill"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    drill.add_arguments(parser)


def run(arguments: argparse.Namespace, invocation: Invocation) -> int:
    from console.cli import distill
    from console.terminal.terminal_facts import gather

    silent = arguments.no_console or invocation.json or not gather().is_terminal
    if arguments.action != "start" or silent:
        return drill.run(arguments, invocation.workspace, invocation)
    root = drill.start(arguments, invocation)
    return distill.main(["-C", str(root), "--operate", _ARMED_BECAUSE])
