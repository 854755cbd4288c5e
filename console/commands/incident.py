"""``distill incident``: handed to the runbook, which has no screen of its own."""

from __future__ import annotations

import argparse

from pipeline.platform.voice import Voice
from runbook.commands import incident


def add_arguments(parser: argparse.ArgumentParser) -> None:
    incident.add_arguments(parser)


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    return incident.run(arguments, voice.workspace, voice)
