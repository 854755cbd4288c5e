"""``distill verify-export DIR``: for trainers, is this copy of the exports whole and of one run?"""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.contracts.checks import CheckStatus
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible
from pipeline.engine.export_manifest import verify


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    result = verify(arguments.folder)
    if context.json:
        context.out_json(result.model_dump(mode="json"))
    else:
        for example in result.examples:
            context.out(f"{visible(example.file or '')}: {visible(example.text)}")
        context.out(f"{result.status.value}: {visible(result.observed or '')} · {visible(result.detail)}")
    return ExitCode.CHECK_FAILED if result.status is CheckStatus.FAIL else ExitCode.OK
