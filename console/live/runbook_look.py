"""One look of the runbook's detectors: a child of low priority, with a time limit.

It never runs in this process: detectors start engines and read whole exports, and a broken runbook
must cost the runbook alone. What it used of the processor, its own children included, is told,
because whoever asks again and again has a budget.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from console.state.runbook_state import KnownSymptom, parse
from pipeline.contracts.discovery import firewall_environment
from pipeline.contracts.untrusted import visible

LIMIT_SECONDS = 120.0
LOWEST_PRIORITY = 19
_MOST_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Look:
    """``symptoms`` is empty when it failed; ``trouble`` then says so in three lines."""

    symptoms: tuple[KnownSymptom, ...] = ()
    trouble: tuple[str, ...] = ()
    took_seconds: float = 0.0
    processor_seconds: float = 0.0


def look_argv(root: Path) -> list[str]:
    return [sys.executable, "-P", "-m", "console", "-C", str(root), "--json", "runbook", "detect"]


class RunbookLook:
    """``argv`` is for tests. ``run`` blocks; ``end`` may be called from another thread."""

    def __init__(
        self, root: Path, *, argv: Sequence[str] | None = None, limit_seconds: float = LIMIT_SECONDS
    ) -> None:
        self._argv = list(argv) if argv is not None else look_argv(root)
        self._limit_seconds = limit_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._why_ended = ""

    def run(self) -> Look:
        """Look once. Never raises for what the child does."""
        began = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                process = subprocess.Popen(
                    self._argv,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env=firewall_environment(),
                    start_new_session=True,  # a ctrl+c in the terminal is the console's affair
                )
            except OSError as error:
                return self._failed(f"it could not be started: {error.strerror}", began, 0.0)
            self._process = process
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, LOWEST_PRIORITY)
            limit = threading.Timer(
                self._limit_seconds, self.end, (f"it took longer than {self._limit_seconds:.0f} s",)
            )
            limit.daemon = True
            limit.start()
            try:
                _, status, usage = os.wait4(process.pid, 0)
            finally:
                limit.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            used = usage.ru_utime + usage.ru_stime
            if self._why_ended:
                return self._failed(self._why_ended, began, used)
            out.seek(0)
            try:
                symptoms = parse(out.read(_MOST_BYTES))
            except ValueError:
                err.seek(0)
                said = err.read(_MOST_BYTES).decode("utf-8", "replace").strip().splitlines()
                last = visible(said[-1], 200) if said else "it said nothing"
                return self._failed(f"exit {process.returncode}, {last}", began, used)
        return Look(symptoms, (), time.monotonic() - began, used)

    def end(self, why: str = "the console left") -> None:
        """End the child and all that it started."""
        process = self._process
        if process is not None and process.returncode is None:
            self._why_ended = why
            # Engines that a detector started have sessions of their own; no group holds them all.
            for pid in (*_descendants(process.pid), process.pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)

    def _failed(self, why: str, began: float, used: float) -> Look:
        trouble = (
            f"The runbook's detectors did not answer: {why}.",
            "Nothing was changed; what stands here is older, or from the console's own detectors.",
            "Try it by hand: distill runbook detect",
        )
        return Look((), trouble, time.monotonic() - began, used)


def _descendants(pid: int) -> list[int]:
    """Children, their children and so on, as /proc knows them; none where there is no /proc."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            after_name = stat.read_text(errors="replace").rpartition(")")[2].split()
            parents.setdefault(int(after_name[1]), []).append(int(stat.parent.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found
