"""``distill rotate-replay-log``: archive the replay log once it is large."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pipeline.commands.context import CommandContext
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible
from pipeline.replay.rotate import left_over, rotate

_MEGABYTE = 1e6


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    log = context.workspace / paths.REPLAY_RUNS
    threshold = context.settings().settings.rotation.replay_log_mb
    size = log.stat().st_size / _MEGABYTE if log.exists() else 0.0
    unfinished = left_over(context.workspace)
    is_due = size > threshold or arguments.force
    if not is_due and not unfinished:
        if context.json:
            context.out_json({"rotated": [], "log_mb": size, "threshold_mb": threshold, "finished": []})
        else:
            context.out(f"nothing to do: the log has {size:.1f} MB, the threshold is {threshold:g} MB")
        return ExitCode.OK
    rotations = rotate(context.workspace, move_log=is_due)
    if context.json:
        context.out_json(
            {
                "rotated": [asdict(one) for one in rotations],
                "log_mb": size,
                "threshold_mb": threshold,
                "finished": unfinished,
            }
        )
        return ExitCode.OK
    for each in unfinished:
        context.note(f"an earlier rotation was cut off, and is finished now: {visible(each)}")
    for one in rotations:
        context.out(
            f"{one.archive}: {one.plain_bytes:,} bytes in {one.packed_bytes:,}, verified, sha256 {one.sha256}"
        )
    if not rotations:
        context.out("nothing to do: the log is empty")
    return ExitCode.OK
