"""Ask the firewall many questions: one prepared process of it, which forks for each.

A start of the firewall is mostly the import of its modules. Who asks a dozen times, as the gate does,
prepares it once: a process of the installation that has imported the firewall, and nothing else, and has
read nothing. Each question is still a process of its own, with streams, directory, environment and session
of its own, under the limit of ``Running``; it is killed when the one who asks is gone.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Unpack

from pipeline.contracts.discovery import (
    MOST_QUESTION_BYTES,
    QUESTION_BEGUN,
    firewall_argv,
    firewall_environment,
)
from pipeline.platform.child import Process
from pipeline.platform.first_act import first_act
from pipeline.platform.process import How, Running

# Its own module, so that an installation that has none ends at once, and is started really.
MODULE = "pipeline.firewall.prepared"
_MOST_ANSWER_BYTES = 64
_BEGIN_SECONDS = 20.0


_prepared: socket.socket | None = None


@contextlib.contextmanager
def many_questions(environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """For the block, in this process and its forks, questions are put to a firewall that is prepared once.

    Where it cannot be prepared, each is started as ever.
    """
    global _prepared
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        try:
            with theirs:
                helper = _prepare(theirs, environment)
        except (OSError, ValueError, subprocess.SubprocessError):
            yield
            return
        _prepared = ours
        try:
            yield
        finally:
            _prepared = None
            helper.kill()
            helper.wait()


def _prepare(channel: socket.socket, environment: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    argv = firewall_argv([])
    argv[argv.index("pipeline.firewall")] = MODULE
    return subprocess.Popen(
        argv,
        stdin=channel.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=firewall_environment(environment),
        cwd="/",
        start_new_session=True,
        preexec_fn=first_act(),
    )


def asked(arguments: Sequence[str], **how: Unpack[How]) -> Running | None:
    """A firewall with ``arguments`` at work, forked from the prepared one; None when it is to be started."""
    if _prepared is not None:
        with contextlib.suppress(OSError):
            return _Asked(_prepared, arguments, **how)
    return None


class _Asked(Running):
    """One question to a prepared firewall. Raises OSError when it does not begin."""

    _told: socket.socket

    def __init__(self, prepared: socket.socket, arguments: Sequence[str], **how: Unpack[How]) -> None:
        self._prepared = prepared
        super().__init__(arguments, **how)
        if self._process is None:
            raise OSError(self._refused)

    def _start(self, argv: Sequence[str], **how: Any) -> Process:
        request = {"arguments": list(argv), "cwd": os.fspath(how["cwd"] or "."), "env": how["env"]}
        data = json.dumps(request).encode()
        if len(data) > MOST_QUESTION_BYTES:
            raise OSError("the request is too long")
        out, err = os.pipe(), os.pipe()
        process = _Forked(io.FileIO(out[0]), io.FileIO(err[0]))
        self._told, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._told.settimeout(_BEGIN_SECONDS)
        try:
            with theirs:
                socket.send_fds(self._prepared, [data], [out[1], err[1], theirs.fileno()])
            if self._told.recv(_MOST_ANSWER_BYTES) != QUESTION_BEGUN:
                raise OSError("the prepared firewall has ended")
        except OSError:
            self._forget(process)
            raise
        finally:
            os.close(out[1])
            os.close(err[1])
        self._told.setblocking(False)
        return process

    @contextlib.contextmanager
    def _at_its_end(self, process: Process) -> Iterator[int | None]:
        yield self._told.fileno()

    def _reap(self, process: Process) -> bool:
        if process.returncode is not None:
            return True
        try:
            said = self._told.recv(_MOST_ANSWER_BYTES).split()
        except BlockingIOError:
            return False
        except OSError:
            said = []
        if len(said) == 2:
            process.returncode, self._used_seconds = int(said[0]), float(said[1])
        else:
            process.returncode = -signal.SIGKILL  # it died with the one that it was forked from
        return True

    def end(self) -> None:
        """Kill it: it is killed by the one that it was forked from, when nobody listens any more."""
        if self._process is not None and self._told.fileno() >= 0:
            self._drain(self._process)
            self._forget(self._process)

    def _close(self) -> None:
        if self._process is not None:
            self._forget(self._process)

    def _forget(self, process: Process) -> None:
        for each in (self._told, process.stdout, process.stderr):
            if each is not None:
                each.close()


class _Forked:
    """As ``Process``, of one that is another's child: its number is nobody's business."""

    pid = 0
    stdin = None

    def __init__(self, stdout: io.FileIO, stderr: io.FileIO) -> None:
        self.stdout, self.stderr = stdout, stderr
        self.returncode: int | None = None
