"""``distill restore PATH…``: put files back to the bytes they have in the last-good tag."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.platform.voice import Voice
from runbook.actions.restore import plan_restore
from runbook.commands.consenting import add_consent_flags, apply_by_hash
from runbook.commands.direct import preview_directly, relative_to


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders")
    parser.add_argument("--tag", metavar="NAME", help="another tag than the last-good one")
    add_consent_flags(parser)


def run(arguments: argparse.Namespace, root: Path, voice: Voice) -> int:
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
