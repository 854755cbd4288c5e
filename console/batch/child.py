"""Run one part as a process: its events while it works, its report when it has ended.

Its output goes to files in a private folder, because a pipe that nobody drains would stop it. It
has a session of its own, so that ending it ends its workers, too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from pipeline.contracts.untrusted import visible
from pipeline.reading.report_files import Json

LOOK_EVERY_SECONDS = 0.1
# A part that is asked to end stops at a safe point; then it is ended.
GRACE_SECONDS = 10.0
MAX_REPORT_BYTES = 256 * 1024 * 1024
STDERR_TAIL_BYTES = 16 * 1024
STDERR_TAIL_LINES = 12


@dataclass(frozen=True, slots=True)
class Ended:
    """``returncode`` is negative for a signal, None when the process could not be started."""

    returncode: int | None
    elapsed_seconds: float
    timed_out: bool
    stopped: bool
    report: Json | None
    words: tuple[str, ...]


class Deadline:
    """When the whole batch has to be over; None is never."""

    def __init__(self, seconds: float | None) -> None:
        self._at = None if seconds is None else time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        return self._at is not None and time.monotonic() >= self._at


def run_child(
    argv: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    name: str,
    *,
    deadline: Deadline,
    stop_asked: Callable[[], bool],
    on_event: Callable[[Json], None],
) -> Ended:
    """Run ``argv`` to its end, the deadline, or until ``stop_asked``. Raises OSError for a full disk."""
    began = time.monotonic()
    out, err, events = (folder / f"{name}.{kind}" for kind in ("out", "err", "events"))
    timed_out = stopped = False
    with out.open("wb") as out_file, err.open("wb") as err_file, _EventReader(events) as reader:
        try:
            process = subprocess.Popen(
                argv,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                start_new_session=True,
            )
        except OSError as error:
            return Ended(None, 0.0, False, False, None, (f"{argv[0]}: {error.strerror}",))
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK_EVERY_SECONDS)
                for event in reader.new_events():
                    on_event(event)
                if process.returncode is not None:
                    break
                timed_out, stopped = deadline.is_over, stop_asked()
                if timed_out or stopped:
                    _end(process)
                    break
        finally:
            _end(process)
        for event in reader.new_events():
            on_event(event)
    return Ended(
        process.returncode, time.monotonic() - began, timed_out, stopped, _report(out), _last_lines(err)
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait, then end the whole session; without effect on what has ended by itself."""
    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _EventReader:
    """The whole lines that were added to an event file since the last look."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._rest = b""

    def __enter__(self) -> _EventReader:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def new_events(self) -> list[Json]:
        data = self._rest
        while block := os.read(self._descriptor, 1 << 20):
            data += block
        *lines, self._rest = data.split(b"\n")
        return [event for line in lines if (event := _object(line)) is not None]


def _report(path: Path) -> Json | None:
    """The one JSON object that the part printed; None when it printed anything else."""
    with path.open("rb") as file:
        data = file.read(MAX_REPORT_BYTES + 1)
    return _object(data) if len(data) <= MAX_REPORT_BYTES else None


def _object(data: bytes) -> Json | None:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _last_lines(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - STDERR_TAIL_BYTES))
        text = file.read().decode(errors="replace")
    lines = [visible(line, 300) for line in text.splitlines() if line.strip()]
    return tuple(lines[-STDERR_TAIL_LINES:])
