"""``distill restore``: handed to the runbook, which has no screen of its own."""

from __future__ import annotations

import argparse

from console.cli.invocation import Invocation
from runbook.commands import restore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    restore.add_arguments(parser)


def run(arguments: argparse.Namespace, invocation: Invocation) -> int:
    return restore.run(arguments, invocation.workspace(), invocation)
