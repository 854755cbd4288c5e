"""Who holds the workspace, told by the kernel's lock and never by the words in the file.

The question is asked with a shared lock that is given back at once, so a reader never keeps a
run from starting for longer than a few microseconds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from pathlib import Path

import orjson

from console.state import staleness
from pipeline.contracts import paths
from pipeline.contracts.status import Freshness, LockStatus, Origin, epoch_seconds
from pipeline.reading import reach
from pipeline.reading.report_files import count_of, text_of

MAX_LOCK_BYTES = 64 * 1024


def read_lock(root: Path, now: float) -> LockStatus:
    """The lock and what its holder wrote into it. Never raises."""
    origin = Origin("live", now, staleness.of_live(now, now))
    open_intent = False
    try:
        with contextlib.suppress(FileNotFoundError):
            (root / paths.INTENT).stat()
            open_intent = True
        descriptor = os.open(root / paths.LOCK, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except PermissionError as error:
        why = reach.in_words(error, root)
        return LockStatus(origin=Origin("live", now, Freshness.UNKNOWN, why), open_intent=open_intent)
    except OSError:
        return LockStatus(origin=origin, open_intent=open_intent)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return LockStatus(origin=origin, open_intent=open_intent)
        held = _is_held(descriptor)
        line = os.pread(descriptor, MAX_LOCK_BYTES, 0)
    except OSError:
        return LockStatus(origin=origin, open_intent=open_intent)
    finally:
        os.close(descriptor)
    if not held:
        return LockStatus(origin=origin, open_intent=open_intent)
    try:
        holder = orjson.loads(line)
    except orjson.JSONDecodeError:
        holder = {}  # held, but its holder has not written its name yet
    return LockStatus(
        held=True,
        origin=origin,
        pid=count_of(holder, "pid"),
        host=text_of(holder, "host") or "",
        user=text_of(holder, "user") or "",
        command=text_of(holder, "command") or "",
        pipeline_run_id=text_of(holder, "pipeline_run_id") or "",
        since=epoch_seconds(text_of(holder, "since")),
        open_intent=open_intent,
    )


def _is_held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False
