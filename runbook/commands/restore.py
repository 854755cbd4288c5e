"""``distill restore PATH…``: put files back to the bytes they have in the last-good tag."""

from __future__ import annotations

import argparse

from pipeline.platform.voice import Voice
from runbook.actions.restore import plan_restore
from runbook.commands.consenting import apply_by_hash
from runbook.commands.direct import preview_directly, relative_to


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root = voice.workspace
    if arguments.plan:
        return apply_by_hash(root, arguments, voice)
    paths = [relative_to(root, path) for path in arguments.paths or [None]]
    return preview_directly(
        root,
        f"restore {' '.join(paths)}",
        lambda planning: plan_restore(planning, paths, tag=arguments.tag),
        arguments,
        voice,
    )
