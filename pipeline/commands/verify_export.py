"""``distill verify-export DIR``: for trainers, is this copy of the exports whole and of one run?"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.commands.context import CommandContext
from pipeline.contracts import paths
from pipeline.contracts.checks import CheckStatus
from pipeline.contracts.faults import ExitCode, OperatorError
from pipeline.contracts.untrusted import visible
from pipeline.engine.export_manifest import verify


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    result = verify(arguments.folder, _settings_digest(arguments.folder, context))
    if context.json:
        context.out_json(result.model_dump(mode="json"))
    else:
        for example in result.examples:
            context.out(f"{visible(example.file or '')}: {visible(example.text)}")
        context.out(f"{result.status.value}: {visible(result.observed or '')} · {visible(result.detail)}")
    return ExitCode.CHECK_FAILED if result.status is CheckStatus.FAIL else ExitCode.OK


def _settings_digest(folder: Path, context: CommandContext) -> str | None:
    """Of the workspace whose exports these are; None for a copy elsewhere, with no settings beside it."""
    workspace = folder.resolve().parent
    if folder.resolve() != workspace / paths.EXPORTS or not (workspace / paths.SETTINGS).is_file():
        return None
    # Not at the top: trainers verify copies where there are no settings to read.
    from pipeline.settings.digest import rows_digest
    from pipeline.settings.load import load_settings

    try:
        return rows_digest(load_settings(workspace).settings)
    except OperatorError as error:
        context.note(f"whether the exports are of today's settings is not known: {error.fault.what_happened}")
        return None
