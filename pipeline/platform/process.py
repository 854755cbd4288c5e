"""Start a program and wait for it: never a shell, never without a limit, never deaf to a signal.

A child has a session of its own, so that a ctrl+c in the terminal is its parent's affair and an end
that we decide reaches all that it started. It inherits the three standard streams and no other
descriptor, the lock's least of all, and it is killed when its parent dies.
"""

from __future__ import annotations

import contextlib
import functools
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Required, TypedDict, Unpack

from pipeline.contracts.untrusted import visible
from pipeline.platform.child import LOOK_WITHOUT_PIDFD_SECONDS, Process, await_end, is_over, pidfd
from pipeline.platform.first_act import first_act
from pipeline.platform.process_end import Ended

KEEP_BYTES = 1 << 20
# Between "please end" and the kill. Whoever needs longer to leave things in order is given longer.
GRACE_SECONDS = 0.5
# How often a wait asks whether it is still wanted; without such a question it sleeps until something happens.
LOOK_SECONDS = 0.1
_LONGEST_LOOK_SECONDS = 3600.0
# A killed process is gone at once, unless the kernel itself waits for a disk: then we go on without it.
_KILLED_SECONDS = 2.0
_READ_BYTES = 1 << 16

Check = Callable[[], None]
_checks: list[Check] = []


class NotWantedError(Exception):
    """Raised by a check: end the program, and answer with this as the reason why there is no answer."""


@contextlib.contextmanager
def obeying(check: Check) -> Iterator[None]:
    """Within the block every wait calls ``check`` ten times a second, in whichever thread it waits.

    ``check`` raises when the wait is not wanted any more (a signal was noted): the child is then ended
    and the exception goes on, or with NotWantedError becomes the answer. A signal handler that raises by
    itself needs no check.
    """
    _checks.append(check)
    try:
        yield
    finally:
        _checks.remove(check)


class How(TypedDict, total=False):
    """How a program is started and ended; the defaults are those of ``Running``."""

    limit_seconds: Required[float]
    cwd: Path | str | None
    env: Mapping[str, str] | None
    stdin: bytes
    keep_bytes: int
    nice: int
    umask: int
    grace_seconds: float
    dies_with_us: bool


def run(argv: Sequence[str], *, check: Check | None = None, **how: Unpack[How]) -> Ended:
    """Run ``argv`` to its end, for at most ``limit_seconds``. Never raises for what the program does.

    One that is over in a moment need not die with us, and is started in a third of the time.
    A program that writes more than ``keep_bytes`` to its standard output is ended, and has not answered.
    Raises what ``check``, a check of ``obeying`` or a signal handler raises, after the program's end.
    """
    return Running(argv, **how).wait(check)


class Running:
    """A program that works beside us until ``wait`` or ``end``. Arguments are those of ``run``.

    The limit counts from its start. Until ``wait`` nobody reads its output, so that a long one pauses it.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        limit_seconds: float,
        cwd: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        keep_bytes: int = KEEP_BYTES,
        nice: int = 0,
        umask: int = -1,
        grace_seconds: float = GRACE_SECONDS,
        dies_with_us: bool = True,
    ) -> None:
        self._began = self._counts_from = time.monotonic()
        self._limit_seconds = limit_seconds
        self._grace_seconds = grace_seconds
        self._keep_bytes = keep_bytes
        self._to_write = memoryview(stdin)
        self._out = _Kept(keep_bytes)
        self._err = _Kept(keep_bytes)
        self._used_seconds = 0.0
        self._timed_out = False
        self._process: Process | None = None
        self._refused = ""
        try:
            self._process = self._start(
                argv,
                cwd=cwd,
                env=None if env is None else dict(env),
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                umask=umask,
                preexec_fn=first_act(nice) if dies_with_us or nice else None,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._refused = could_not_start(argv, error)

    def _start(self, argv: Sequence[str], **how: Any) -> Process:
        """Raises OSError, ValueError or SubprocessError. ``how`` is as for a Popen."""
        return subprocess.Popen(
            list(argv),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            **how,
        )

    @property
    def pid(self) -> int | None:
        """None when it could not be started."""
        return self._process.pid if self._process is not None else None

    def count_from_now(self) -> None:
        """Begin the limit anew: who works beside others has a whole one for what is left."""
        self._counts_from = time.monotonic()

    def wait(self, check: Check | None = None) -> Ended:
        """Its end, or ours for it. Raises what a check or a signal handler raises."""
        if self._process is None:
            return self._ended(None, self._refused)
        try:
            why = self._listen(self._process, check)
        except NotWantedError as error:
            why = str(error)
        except BaseException:
            self.end()
            raise
        if why:
            self.end()
            return self._ended(None, why)
        code = self._process.returncode
        self._close()
        return self._ended(code, "")

    def end(self) -> None:
        """Ask it to end, then kill it and what it started. Without effect on one that has ended."""
        process = self._process
        if process is None:
            return
        try:
            if process.returncode is None and not is_over(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGTERM)
                    os.kill(process.pid, signal.SIGCONT)  # one that is stopped hears nothing else
                await_end(process.pid, self._grace_seconds)
        finally:
            # Before it is reaped, while its number cannot have become another's.
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                await_end(process.pid, _KILLED_SECONDS)
                self._reap(process)
            self._drain(process)
            self._close()

    def _ended(self, code: int | None, why: str) -> Ended:
        took = time.monotonic() - self._began
        return Ended(
            exit_code=code,
            stdout=self._out.bytes(),
            stderr=self._err.bytes(),
            why=why,
            took_seconds=took,
            processor_seconds=self._used_seconds,
            timed_out=self._timed_out,
            returncode=self._process.returncode if self._process is not None else None,
            could_start=self._process is not None,
        )

    def _listen(self, process: Process, check: Check | None) -> str:
        """Read and write until the program has ended; what is wrong when it is to be ended instead."""
        # A poll selector needs no descriptor of its own: one that is starved of them can still wait.
        with selectors.PollSelector() as ready, self._at_its_end(process) as end:
            look = LOOK_WITHOUT_PIDFD_SECONDS
            if end is not None:
                ready.register(end, selectors.EVENT_READ, lambda: False)
                look = _LONGEST_LOOK_SECONDS
            for stream, use in self._pipes(process):
                os.set_blocking(stream.fileno(), False)
                write = stream is process.stdin
                ready.register(stream, selectors.EVENT_WRITE if write else selectors.EVENT_READ, use)
            while not self._reap(process) and not self._out.is_too_much:
                left = self._counts_from + self._limit_seconds - time.monotonic()
                if left <= 0:
                    self._timed_out = True
                    return f"no end within {self._limit_seconds:g} s"
                checks = [*_checks, *([check] if check is not None else [])]
                for still_wanted in checks:
                    still_wanted()
                for key, _ in ready.select(min(left, look, LOOK_SECONDS if checks else look)):
                    if key.data():
                        ready.unregister(key.fileobj)
        self._drain(process)
        return f"more than {self._keep_bytes:,} bytes of output" if self._out.is_too_much else ""

    def _drain(self, process: Process) -> None:
        """What it wrote before its end is in the pipes. Whoever still holds them is not waited for."""
        for kept, pipe in ((self._out, process.stdout), (self._err, process.stderr)):
            if pipe is not None and not pipe.closed:
                os.set_blocking(pipe.fileno(), False)
                most = kept.read_bytes + self._keep_bytes
                while kept.read_bytes <= most and _read(pipe, kept):
                    pass

    def _pipes(self, process: Process) -> Iterator[tuple[IO[bytes], Callable[[], bool]]]:
        """Each pipe with what to do when it is ready, which returns whether it is used up."""
        for kept, stream in ((self._out, process.stdout), (self._err, process.stderr)):
            if stream is not None:
                yield stream, functools.partial(lambda *of: _read(*of) == 0, stream, kept)
        if process.stdin is not None:
            yield process.stdin, functools.partial(self._write, process.stdin)

    def _write(self, stdin: IO[bytes]) -> bool:
        """Whether there is nothing more to write. It need not read what it is told."""
        try:
            self._to_write = self._to_write[os.write(stdin.fileno(), self._to_write[:_READ_BYTES]) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self._to_write = self._to_write[:0]
        if not self._to_write:
            stdin.close()
        return not self._to_write

    def _at_its_end(self, process: Process) -> contextlib.AbstractContextManager[int | None]:
        """A descriptor that can be read once ``_reap`` finds it ended; None where there is none."""
        return pidfd(process.pid)

    def _reap(self, process: Process) -> bool:
        """Whether it has ended; takes its exit code and what it used."""
        if process.returncode is not None:
            return True
        try:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        except ChildProcessError:  # somebody else took it: its exit code is lost, and not a good one
            process.returncode = -signal.SIGKILL
            return True
        if pid == 0:
            return False
        process.returncode = os.waitstatus_to_exitcode(status)
        self._used_seconds = usage.ru_utime + usage.ru_stime
        return True

    def _close(self) -> None:
        for stream in (
            (self._process.stdin, self._process.stdout, self._process.stderr) if self._process else ()
        ):
            if stream is not None:
                stream.close()


class _Kept:
    """The end of what was read, ``most`` bytes of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self.read_bytes = 0

    @property
    def is_too_much(self) -> bool:
        return self.read_bytes > self._most

    def add(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        self.read_bytes += len(data)
        while self._size - len(self._pieces[0]) >= self._most and len(self._pieces) > 1:
            self._size -= len(self._pieces.popleft())

    def bytes(self) -> bytes:
        return b"".join(self._pieces)[-self._most :] if self._most else b""


def could_not_start(argv: Sequence[str], error: Exception) -> str:
    """One line that says so, for a screen or a report."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{visible(argv[0], 200) if argv else 'nothing'} could not be started: {visible(why, 200)}"


def _read(stream: IO[bytes], kept: _Kept) -> int | None:
    """How many bytes there were: 0 after the last one, None when there are none now."""
    try:
        data = os.read(stream.fileno(), _READ_BYTES)
    except BlockingIOError:
        return None
    kept.add(data)
    return len(data)
