"""``distill runbook``: handed to the runbook, which has no screen of its own."""

from __future__ import annotations

import argparse

from pipeline.platform.voice import Voice
from runbook.commands import runbook


def add_arguments(parser: argparse.ArgumentParser) -> None:
    runbook.add_arguments(parser)


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    if arguments.action in runbook.ANYWHERE:
        return runbook.run_anywhere(arguments, voice)
    return runbook.run(arguments, voice.workspace, voice)
