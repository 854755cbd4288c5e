"""``distill runbook``: handed to the runbook, which has no screen of its own."""

from __future__ import annotations

import argparse

from console.cli.invocation import Invocation
from runbook.commands import runbook


def add_arguments(parser: argparse.ArgumentParser) -> None:
    runbook.add_arguments(parser)


def run(arguments: argparse.Namespace, invocation: Invocation) -> int:
    if arguments.action in runbook.ANYWHERE:
        return runbook.run_anywhere(arguments, invocation)
    return runbook.run(arguments, invocation.workspace(), invocation)
