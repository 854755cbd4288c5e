"""A watcher as a real subprocess, and how tests wait for what it says."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.waiting import LIMIT_SECONDS

Event = dict[str, Any]


class Watcher:
    """``firewall --watch --events -`` on a workspace; ``events`` keeps all that it said.

    Modules in ``path`` come before the installed ones.
    """

    def __init__(self, root: Path, *arguments: str, path: Path | None = None) -> None:
        argv = [sys.executable, "-P", "-m", "pipeline.firewall", "-C", str(root), "--watch", "--events", "-"]
        self.process = subprocess.Popen(
            [*argv, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            env=None if path is None else {**os.environ, "PYTHONPATH": str(path)},
        )
        self.events: list[Event] = []
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, wanted: Callable[[Event], bool]) -> Event:
        """The first event from now on that is wanted."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                said = [(e["state"], e["findings_count"], e.get("detail")) for e in self.events[-5:]]
                raise AssertionError(f"not seen in time; last said {said}") from None
            event: Event = json.loads(line)
            self.events.append(event)
            if wanted(event):
                return event

    def until_state(self, state: str) -> Event:
        return self.until(lambda event: event["state"] == state)

    def __enter__(self) -> Watcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
