"""An engine that is already imported and forks for each run, so that hundreds of kills are quick.

A run is the real command line in a process group of its own; only the start of the interpreter
is saved. Requests and answers are lines of JSON.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_PROJECT = Path(__file__).parents[2]


def serve() -> None:
    """The helper process: fork for each request, name the child, say how it ended."""
    from pipeline.cli import main
    from pipeline.commands import export, materialize, run_all, score  # noqa: F401 - imported to be warm
    from pipeline.engine.code_digest import engine_digest
    from tests.warm_zygote import leave

    engine_digest()
    gc.collect()
    gc.freeze()

    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            os.environ.update(request["env"])
            output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(output, 1)
            os.dup2(output, 2)
            leave(main(request["argv"]))
        with contextlib.suppress(PermissionError, ProcessLookupError):  # the child was quicker
            os.setpgid(pid, pid)
        _say(pid)
        _say(os.waitpid(pid, 0)[1])


def _say(number: int) -> None:
    sys.__stdout__.write(f"{number}\n")  # type: ignore[union-attr]  # a pipe, as started below
    sys.__stdout__.flush()  # type: ignore[union-attr]


@dataclass
class Run:
    """A run under way. ``output`` collects its stdout and stderr."""

    pid: int
    output: Path
    _engine: WarmEngine

    def kill_group(self) -> None:
        """Without effect on a run that has just ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def kill_parent(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def ended_within(self, seconds: float) -> bool:
        return self._engine.has_answer(seconds)

    def wait(self) -> int:
        """Exit code, or minus the signal that ended it."""
        status = self._engine.answer()
        self._engine.under_way = None
        return os.waitstatus_to_exitcode(status)

    def left_processes(self) -> list[int]:
        """Processes of its group that still run."""
        return [pid for pid in _processes() if _group_of(pid) == self.pid]

    def wait_for_left_processes(self, seconds: float) -> bool:
        """Whether all processes of its group ended in time."""
        for pid in self.left_processes():
            try:
                descriptor = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            try:
                poll = select.poll()
                poll.register(descriptor, select.POLLIN)
                if not poll.poll(seconds * 1000):
                    return False
            finally:
                os.close(descriptor)
        return True


class WarmEngine:
    """Starts runs one after another."""

    def __init__(self, scratch: Path) -> None:
        self._output = scratch / "output"
        self._buffer = b""
        self.under_way: Run | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.crash.warm_engine import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_PROJECT,
        )

    def __enter__(self) -> WarmEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def start(self, workspace: Path, argv: Sequence[str], env: Mapping[str, str] | None = None) -> Run:
        if self.under_way is not None:  # of a test that failed: its answer is not the next one's
            self.under_way.kill_group()
            self.under_way.wait()
        request = {
            "argv": [*argv, "-C", str(workspace)],
            "env": dict(env or {}),
            "output": str(self._output),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        self.under_way = Run(self.answer(), self._output, self)
        return self.under_way

    def run(
        self, workspace: Path, argv: Sequence[str], env: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Exit code and output of a run that is left alone."""
        run = self.start(workspace, argv, env)
        code = run.wait()
        return code, run.output.read_text(encoding="utf-8", errors="replace")

    def has_answer(self, seconds: float) -> bool:
        if b"\n" in self._buffer:
            return True
        assert self._process.stdout is not None
        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def answer(self) -> int:
        assert self._process.stdout is not None
        while b"\n" not in self._buffer:
            piece = os.read(self._process.stdout.fileno(), 4096)
            assert piece, "the warm engine ended"
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\n", 1)
        return int(line)


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _group_of(pid: int) -> int | None:
    """The process group of a process that is no zombie."""
    try:
        state, _, group = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(group)
