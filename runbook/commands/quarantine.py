"""``distill quarantine FILE``: move a contaminated export out of every reader's sight."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.platform.voice import Voice
from runbook.actions.quarantine import plan_quarantine
from runbook.commands.consenting import add_consent_flags, apply_by_hash
from runbook.commands.direct import preview_directly, relative_to


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", help="the export, from the workspace's root or from here")
    add_consent_flags(parser)


def run(arguments: argparse.Namespace, root: Path, voice: Voice) -> int:
    if arguments.plan:
        return apply_by_hash(root, arguments, voice)
    path = relative_to(root, arguments.file)
    return preview_directly(
        root, f"quarantine {path}", lambda planning: plan_quarantine(planning, path), arguments, voice
    )
