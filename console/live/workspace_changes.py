"""Whoever reads the workspace is woken when its files change; where no event arrives, every two seconds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from console.live.daemon_work import in_thread
from pipeline.contracts import paths
from pipeline.platform.file_changes import FileChanges

POLL_SECONDS = 2.0
# Nobody sees a fifth of a second here: alarms have a watcher of their own.
STEP_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 60.0
_GIT = PurePosixPath(".git")
_FOLDERS = (
    PurePosixPath(),
    paths.STATE,
    paths.STATE / "consoles",
    paths.REPORTS,
    paths.RECON_DOC.parent,
    _GIT,
)
_TREES = (
    PurePosixPath("pipeline"),
    paths.KNOWLEDGE_BASE,
    paths.EVIDENCE,
    paths.SCORED_RUNS,
    paths.EXPORTS,
    paths.INCIDENTS,
    _GIT / "refs",
)


def watched(root: Path) -> list[Path]:
    """Folders of what the console and the runbook judge: code, settings, sources, outputs, reports, git."""
    found = [root / folder for folder in _FOLDERS]
    for tree in _TREES:
        found.append(root / tree)
        for folder, names, _ in os.walk(root / tree):
            names[:] = [name for name in names if name not in ("__pycache__", "kept")]
            found += [Path(folder, name) for name in names]
    return found


async def call_on_changes(root: Path, changed: Callable[[], None]) -> None:
    """Call ``changed`` in this loop whenever files of the workspace may have changed, until cancelled."""
    loop = asyncio.get_running_loop()
    stop = threading.Event()

    def wait_on() -> None:
        changes = FileChanges(lambda: watched(root), poll_seconds=POLL_SECONDS, step_seconds=STEP_SECONDS)
        with contextlib.closing(changes):
            while not stop.is_set():
                if changes.wait(_LONGEST_WAIT_SECONDS, stop):
                    with contextlib.suppress(RuntimeError):  # the loop may be over by then
                        loop.call_soon_threadsafe(changed)

    try:
        await in_thread(wait_on)
    finally:
        stop.set()


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event was set in time."""
    try:
        # ``wait_for`` would lose a cancellation that comes together with the event, and the loop around
        # it would never end (Python 3.11).
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
