"""Who holds the workspace, and whether a commit is open, as the screens show it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.status import Freshness, LockStatus, Origin
from pipeline.platform.lock import holder_of
from pipeline.reading import reach, staleness


def read_lock(root: Path, now: float) -> LockStatus:
    """The lock and what its holder wrote into it. Never raises."""
    origin = Origin("live", now, staleness.of_live(now, now))
    open_intent = False
    try:
        with contextlib.suppress(FileNotFoundError):
            (root / paths.INTENT).stat()
            open_intent = True
        holder = holder_of(root, paths.LOCK)
    except OSError as error:
        why = reach.in_words(error, root)
        return LockStatus(origin=Origin("live", now, Freshness.UNKNOWN, why), open_intent=open_intent)
    if holder is None:
        return LockStatus(origin=origin, open_intent=open_intent)
    return LockStatus(
        held=True,
        origin=origin,
        pid=holder.pid,
        host=holder.host,
        user=holder.user,
        command=holder.command,
        pipeline_run_id=holder.pipeline_run_id,
        since=holder.since_seconds,
        open_intent=open_intent,
    )
