"""``distill restore``: handed to the runbook, which has no screen of its own."""

from __future__ import annotations

import argparse

from pipeline.platform.voice import Voice
from runbook.commands import restore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    restore.add_arguments(parser)


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    return restore.run(arguments, voice.workspace, voice)
