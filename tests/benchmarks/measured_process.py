"""Run a command and say what it cost: wall time, CPU time and peak memory of its process tree."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Cost:
    """Times in seconds; CPU is user and system time of the command and all it waited for.

    ``peak_pss_bytes`` is 0 when memory was not sampled. PSS counts a shared page once. ``peaks`` are those of
    the command itself, of its workers together, and of the firewall; they need not be at one time.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_pss_bytes: int
    stdout: bytes
    peaks: Mapping[str, int] = field(default_factory=dict)


class CommandFailedError(Exception):
    """A measured command ended with a code that makes its figures worthless."""


def run(
    argv: Sequence[str], *, env: Mapping[str, str], log: Path, sample_memory: bool = False, allowed: int = 0
) -> Cost:
    """Run ``argv`` to its end. Raises CommandFailedError unless it ends with 0 or ``allowed``.

    Sampling memory costs CPU on the same cores, so times of a sampled run are not used.
    """
    with log.open("ab") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(argv, env=dict(env), stdout=subprocess.PIPE, stderr=errors)
        sampler = _PeakMemory(process.pid) if sample_memory else None
        if sampler is not None:
            sampler.start()
        assert process.stdout is not None
        with process.stdout:
            stdout = process.stdout.read()
        # wait4 is the one call that tells the CPU time of exactly this child and its children.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if sampler is not None:
        sampler.finish()
    if process.returncode not in (0, allowed):
        raise CommandFailedError(f"{' '.join(argv)} ended with {process.returncode}; see {log}")
    peak = sampler.peak_bytes if sampler is not None else 0
    peaks = sampler.peaks if sampler is not None else {}
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak, stdout, peaks)


def seconds_to_line(argv: Sequence[str], marker: bytes, *, env: Mapping[str, str], log: Path) -> float:
    """Seconds from the start of ``argv`` until a line of its stdout contains ``marker``."""
    with log.open("ab") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(argv, env=dict(env), stdout=subprocess.PIPE, stderr=errors)
        assert process.stdout is not None
        seen: float | None = None
        with process.stdout:
            for line in process.stdout:
                if seen is None and marker in line:
                    seen = time.perf_counter() - start
        process.wait()
    if seen is None:
        raise CommandFailedError(f"{' '.join(argv)} never wrote {marker.decode()}; see {log}")
    return seen


class _PeakMemory(threading.Thread):
    """Samples the summed PSS of a process and its descendants until told to finish."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.peaks: dict[str, int] = {}
        self._pid = pid
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            now = self._tree_pss()
            self.peak_bytes = max(self.peak_bytes, now.total())
            self.peaks = {name: max(now[name], self.peaks.get(name, 0)) for name in {*now, *self.peaks}}

    def finish(self) -> None:
        self._done.set()
        self.join()

    def _tree_pss(self) -> Counter[str]:
        found: Counter[str] = Counter()
        try:
            root = psutil.Process(self._pid)
            tree = [root, *root.children(recursive=True)]
        except psutil.Error:
            return found
        for process in tree:
            with contextlib.suppress(psutil.Error, AttributeError):
                found[self._role(process)] += process.memory_full_info().pss
        return found

    def _role(self, process: psutil.Process) -> str:
        if process.pid == self._pid:
            return "engine"
        return "firewall" if "pipeline.firewall" in process.cmdline() else "workers"
