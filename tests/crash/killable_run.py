"""Runs of the engine's real command line, each in a process group of its own, to be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.discovery import engine_argv


@dataclass
class Run:
    """A run under way. ``output`` collects its stdout and stderr."""

    process: subprocess.Popen[bytes]
    output: Path

    def kill_group(self) -> None:
        """Without effect on a run that has just ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def kill_parent(self) -> None:
        self.process.kill()

    def ended_within(self, seconds: float) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.process.returncode is not None

    def wait(self) -> int:
        """Exit code, or minus the signal that ended it."""
        return self.process.wait()

    def is_gone(self) -> bool:
        """Whether no process of its group is left."""
        numbers = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
        return all(_group_of(pid) != self.process.pid for pid in numbers)


def start(workspace: Path, argv: Sequence[str], env: Mapping[str, str] | None = None) -> Run:
    """``distill ARGV`` in the workspace."""
    output = workspace.with_name(f"{workspace.name}.said")
    with output.open("wb") as said:
        process = subprocess.Popen(
            [*engine_argv(argv), "-C", str(workspace)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            process_group=0,
            env={**os.environ, **(env or {})},
        )
    return Run(process, output)


def run(workspace: Path, argv: Sequence[str]) -> tuple[int, str]:
    """Exit code and output of a run that is left alone."""
    started = start(workspace, argv)
    code = started.wait()
    return code, started.output.read_text(encoding="utf-8", errors="replace")


def _group_of(pid: int) -> int | None:
    """The process group of a process that is no zombie."""
    try:
        state, _, group = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(group)
