"""Start a program with a time limit and a bounded ear: never a shell, never the caller's stdin.

At the limit the whole process group is ended, because an engine has workers.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_OUTPUT_BYTES = 16 * 2**20
_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Ran:
    """How a program ended. ``exit_code`` is None when it could not be started or was ended by us.

    ``trouble`` then says why. ``out`` and ``err`` hold at most ``MOST_OUTPUT_BYTES`` each.
    """

    argv: tuple[str, ...]
    exit_code: int | None
    out: bytes
    err: bytes
    took_seconds: float
    timed_out: bool = False
    trouble: str = ""

    @property
    def text(self) -> str:
        return self.out.decode("utf-8", "replace")

    @property
    def last_words(self) -> str:
        """The last line of what it narrated."""
        lines = self.err.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


def run(
    argv: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    seconds: float,
    stdin: bytes | None = None,
) -> Ran:
    """Run ``argv`` in ``folder`` for at most ``seconds``. Never raises for what the program does."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
        given.write(stdin or b"")
        given.seek(0)
        try:
            process = subprocess.Popen(
                list(argv),
                cwd=folder,
                env=dict(environment),
                stdin=given,
                stdout=out,
                stderr=err,
                start_new_session=True,
                close_fds=True,
            )
        except OSError as error:
            said = f"{argv[0]} could not be started: {error.strerror}"
            return Ran(tuple(argv), None, b"", b"", time.monotonic() - began, trouble=said)
        timed_out = False
        try:
            code: int | None = process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            timed_out, code = True, None
            _end(process)
        except BaseException:
            _end(process)
            raise
        out.seek(0)
        err.seek(0)
        said = f"ended by us after {seconds:.0f} s" if timed_out else ""
        return Ran(
            tuple(argv),
            code,
            out.read(MOST_OUTPUT_BYTES),
            err.read(MOST_OUTPUT_BYTES),
            time.monotonic() - began,
            timed_out,
            said,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        break
