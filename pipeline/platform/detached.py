"""Programs that are not waited for with a limit: one that outlives us, and one that a person watches."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.platform.first_act import first_act


class Detached:
    """A program that goes on when we end, and whose output goes to a file of its own."""

    def __init__(self, process: subprocess.Popen[bytes], words: int | None = None) -> None:
        self._process = process
        self._words = words
        # Nobody need ask for the words.
        self._close = weakref.finalize(self, os.close, words) if words is not None else None
        self._said = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit code (negative for a signal), None while it runs."""
        return self._process.poll()

    def wait(self, limit_seconds: float) -> int | None:
        """Its exit code; None when it still runs after the limit."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(limit_seconds)
        return None

    def said(self) -> str:
        """What it wrote to its pipe of words so far, where it was given one; it holds a page, no more."""
        if self._words is not None and self._close is not None:
            with contextlib.suppress(BlockingIOError):
                while piece := os.read(self._words, 4096):
                    self._said += piece
                self._close()
                self._words = None
        return self._said.decode(errors="replace")


def start_detached(
    argv: Sequence[str],
    *,
    output: int,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    with_words: bool = False,
) -> Detached:
    """Start ``argv`` in a session of its own, both outputs into the descriptor ``output``. Raises OSError.

    ``with_words`` adds the number of a pipe as its last argument: what it writes there, ``said`` reads, also
    where the disk of ``output`` takes nothing.
    """
    reading, writing = os.pipe() if with_words else (None, None)
    try:
        process = subprocess.Popen(
            [*argv, *([] if writing is None else [str(writing)])],
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=() if writing is None else (writing,),
        )
    except BaseException:
        if reading is not None:
            os.close(reading)
        raise
    finally:
        if writing is not None:
            os.close(writing)
    if reading is not None:
        os.set_blocking(reading, False)
    return Detached(process, reading)


def run_in_front(argv: Sequence[str], *, env: Mapping[str, str] | None = None, output: int = 1) -> int:
    """Run ``argv`` in the terminal that we have, without a limit: a person watches. Raises OSError.

    It hears the terminal's signals itself and ends in its own time; when we are ended, it is asked to end.
    """
    process = subprocess.Popen(
        list(argv),
        env=None if env is None else dict(env),
        stdout=output,
        preexec_fn=first_act(at_our_end=signal.SIGTERM),
    )
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
