"""``distill drill``: handed to the runbook; a drill that was started here is opened here."""

from __future__ import annotations

import argparse

from pipeline.platform.voice import Voice
from runbook.commands import drill

_ARMED_BECAUSE = "drill"


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    from console.cli import distill
    from console.terminal.terminal_facts import gather

    silent = arguments.no_console or voice.json or not gather().is_terminal
    if arguments.action != "start" or silent:
        return drill.run(arguments, voice)
    root = drill.start(arguments, voice)
    return distill.main(["-C", str(root), "--operate", _ARMED_BECAUSE])
