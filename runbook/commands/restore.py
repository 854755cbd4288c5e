"""``distill restore PATH…``: put files back to the bytes they have in the last-good tag."""

from __future__ import annotations

import argparse
from pathlib import PurePosixPath

from pipeline.platform.voice import Voice
from runbook.actions.repair_code import reinstall_command
from runbook.actions.restore import plan_restore
from runbook.change.refusals import refused
from runbook.commands.consenting import apply_by_hash
from runbook.commands.direct import preview_directly, relative_to
from runbook.probes.code_history import ENGINE


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root = voice.workspace
    if arguments.plan:
        return apply_by_hash(root, arguments, voice)
    paths = [relative_to(root, path) for path in arguments.paths or [None]]
    if not (root / ENGINE).exists() and any(PurePosixPath(path).is_relative_to(ENGINE) for path in paths):
        raise refused(
            "engine_is_installed",
            f"This workspace runs the installed engine: there is no {ENGINE}/ in it.",
            f"Install the same version again: {reinstall_command()}",
        )
    return preview_directly(
        root,
        f"restore {' '.join(paths)}",
        lambda planning: plan_restore(planning, paths, tag=arguments.tag),
        arguments,
        voice,
    )
