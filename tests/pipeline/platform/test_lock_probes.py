"""Asking whether a workspace is held must not make a run believe that it is."""

from __future__ import annotations

import threading
from pathlib import Path

from pipeline.platform import lock
from tests.pipeline.engine.workspaces import make_workspace


def test_probes_by_watchers_never_turn_a_run_away(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", {})
    stop = threading.Event()

    def probe() -> None:
        # A thousand times as often as any watcher looks.
        while not stop.wait(0.001):
            lock.is_held(workspace)

    watchers = [threading.Thread(target=probe) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(200):
            with lock.hold_workspace(workspace, command="run-all", pipeline_run_id="r", argv=()):
                pass
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join()
