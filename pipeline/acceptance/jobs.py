"""The runs that invariants share, each in a process of its own, as many at a time as there are slots.

A job is a function without arguments that returns JSON types. What it raises is kept and raised
again for whoever asks for its result: ``IntegrityError`` when the engine broke its word, which is
a failed invariant; anything else is an error of ours.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pipeline.contracts.faults import IntegrityError, OperatorError
from pipeline.platform import streams
from pipeline.platform.first_act import die_with

_READ_BYTES = 1 << 16


class JobError(Exception):
    """A job could not be carried out: a bug of ours, a permission, a disk, a time-out."""


@dataclass(frozen=True)
class Job:
    """``after`` names jobs whose results must be there first."""

    name: str
    body: Callable[[], Any]
    after: tuple[str, ...] = ()


@dataclass
class _Running:
    job: Job
    pid: int
    answer: bytes = b""


class JobBoard:
    """Jobs wait here until they are wanted; ``result`` waits for one and lets others run meanwhile."""

    def __init__(self, jobs: Sequence[Job], slots: int = 2) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._slots = slots
        self._wanted: list[str] = []
        self._running: dict[int, _Running] = {}
        self._results: dict[str, Any] = {}
        self._selector = selectors.DefaultSelector()

    def want(self, names: Sequence[str]) -> None:
        """Have these carried out, and first what they need; the first named start first."""
        for name in names:
            job = self._jobs[name]
            self.want(job.after)
            if name not in self._wanted:
                self._wanted.append(name)
        self._start()

    def result(self, name: str) -> Any:
        """What the job returned. Raises IntegrityError or JobError."""
        self.want([name])
        while name not in self._results:
            self._wait()
        ok, value = self._results[name]
        if ok:
            return value
        if value["fault"] is not None:
            raise IntegrityError.of(**value["fault"])
        raise JobError(value["text"])

    def close(self) -> None:
        """End what still runs."""
        for descriptor, running in self._running.items():
            self._selector.unregister(descriptor)
            os.close(descriptor)
            os.killpg(running.pid, signal.SIGKILL)
            os.waitpid(running.pid, 0)
        self._running = {}
        self._selector.close()

    def _start(self) -> None:
        for name in self._wanted:
            if len(self._running) >= self._slots:
                return
            job = self._jobs[name]
            if name in self._results or any(running.job.name == name for running in self._running.values()):
                continue
            failed = [self._results[other] for other in job.after if not self._results.get(other, (True,))[0]]
            if failed:
                self._results[name] = failed[0]
            elif all(other in self._results for other in job.after):
                self._fork(job)

    def _fork(self, job: Job) -> None:
        reading, writing = os.pipe()
        streams.flush(streams.OUT)
        streams.flush(streams.ERR)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _carry_out(job, writing, parent)
        os.close(writing)
        # By both, so that the group is there whoever comes first: `close` ends it by its number.
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        self._running[reading] = _Running(job, pid)
        self._selector.register(reading, selectors.EVENT_READ)

    def _wait(self) -> None:
        self._start()
        for key, _ in self._selector.select():
            running = self._running[key.fd]
            piece = os.read(key.fd, _READ_BYTES)
            if piece:
                running.answer += piece
                continue
            self._selector.unregister(key.fd)
            os.close(key.fd)
            del self._running[key.fd]
            _, status = os.waitpid(running.pid, 0)
            self._results[running.job.name] = _read_answer(running, os.waitstatus_to_exitcode(status))
        self._start()


def _read_answer(running: _Running, exit_code: int) -> tuple[bool, Any]:
    try:
        ok, value = json.loads(running.answer)
    except (ValueError, TypeError):
        text = f"the job {running.job.name} died with {exit_code} and gave no result"
        return False, {"fault": None, "text": text}
    return bool(ok), value


def _carry_out(job: Job, writing: int, parent: int) -> NoReturn:
    """The child's whole life. Its group has the runs that it starts, so that all can be ended."""
    answer: tuple[bool, Any]
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with(parent)
        answer = (True, job.body())
    except IntegrityError as error:
        answer = (False, {"fault": error.fault.to_dict(), "text": ""})
    except OperatorError as error:
        answer = (False, {"fault": None, "text": f"{error.fault.code}: {error.fault.what_happened}"})
    except BaseException as error:  # noqa: BLE001 - the fork must end here, whatever happens
        answer = (False, {"fault": None, "text": f"{type(error).__name__}: {error}"})
    data = json.dumps(answer).encode()
    while data:
        data = data[os.write(writing, data) :]
    os._exit(0)
