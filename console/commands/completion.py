"""``distill completion SHELL``: the script by which a shell completes ``distill``."""

from __future__ import annotations

import argparse

from console.cli.completion import SCRIPTS
from pipeline.contracts.faults import ExitCode
from pipeline.platform.voice import Voice


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    voice.out(SCRIPTS[arguments.shell])
    return ExitCode.OK
