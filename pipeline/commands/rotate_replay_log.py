"""``distill rotate-replay-log``: archive the replay log once it is large."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pipeline.commands.context import CommandContext
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.replay.rotate import rotate

_MEGABYTE = 1e6


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    log = context.workspace / paths.REPLAY_RUNS
    threshold = context.settings().settings.rotation.replay_log_mb
    size = log.stat().st_size / _MEGABYTE if log.exists() else 0.0
    if size <= threshold and not arguments.force:
        if context.json:
            context.out_json({"rotated": [], "log_mb": size, "threshold_mb": threshold})
        else:
            context.out(f"nothing to do: the log has {size:.1f} MB, the threshold is {threshold:g} MB")
        return ExitCode.OK
    rotations = rotate(context.workspace)
    if context.json:
        context.out_json(
            {"rotated": [asdict(one) for one in rotations], "log_mb": size, "threshold_mb": threshold}
        )
        return ExitCode.OK
    for one in rotations:
        context.out(
            f"{one.archive}: {one.plain_bytes:,} bytes in {one.packed_bytes:,}, verified, sha256 {one.sha256}"
        )
    if not rotations:
        context.out("nothing to do: the log is empty")
    return ExitCode.OK
