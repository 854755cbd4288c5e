"""``distill quarantine FILE``: move a contaminated export out of every reader's sight."""

from __future__ import annotations

import argparse

from pipeline.platform.voice import Voice
from runbook.actions.quarantine import plan_quarantine
from runbook.commands.consenting import apply_by_hash
from runbook.commands.direct import preview_directly, relative_to


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root = voice.workspace
    if arguments.plan:
        return apply_by_hash(root, arguments, voice)
    path = relative_to(root, arguments.file)
    return preview_directly(
        root, f"quarantine {path}", lambda planning: plan_quarantine(planning, path), arguments, voice
    )
