"""``distill quarantine``: handed to the runbook, which has no screen of its own."""

from __future__ import annotations

import argparse

from pipeline.platform.voice import Voice
from runbook.commands import quarantine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    quarantine.add_arguments(parser)


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    return quarantine.run(arguments, voice.workspace, voice)
