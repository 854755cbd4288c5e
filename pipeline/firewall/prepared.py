"""A firewall that has imported its modules and waits: it forks for each question that it is asked.

    python -P -m pipeline.firewall.prepared

Standard input is a socket of packets: a request as JSON, with the streams of the fork and a socket on which
its end is told. This process itself reads and judges nothing. Who asks is ``platform/prepared_firewall.py``.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Sequence
from typing import NoReturn, TextIO

from pipeline.contracts.discovery import MOST_QUESTION_BYTES, QUESTION_BEGUN
from pipeline.firewall.cli import main
from pipeline.platform import program
from pipeline.platform.first_act import die_with

_MOST_DESCRIPTORS = 1024


def serve(channel: socket.socket) -> None:
    """Until nobody can ask any more: forks that are at work then are killed with us."""
    with selectors.PollSelector() as ready:
        ready.register(channel, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.data is not None:
                    key.data()
                elif not _begin(channel, ready):
                    return


def _begin(channel: socket.socket, ready: selectors.BaseSelector) -> bool:
    """Fork for one question. False after the last one."""
    data, descriptors, _, _ = socket.recv_fds(channel, MOST_QUESTION_BYTES, 3)
    if not data:
        return False
    streams, asker, us = descriptors[:2], socket.socket(fileno=descriptors[2]), os.getpid()
    pid = os.fork()
    if pid == 0:
        _answer(json.loads(data), streams, us)
    for stream in streams:
        os.close(stream)
    at_its_end = os.pidfd_open(pid)
    ready.register(at_its_end, selectors.EVENT_READ, functools.partial(_tell, ready, pid, at_its_end, asker))
    # An asker says nothing more: what can be read there is that it is gone.
    ready.register(asker, selectors.EVENT_READ, functools.partial(_kill, ready, pid, asker))
    with contextlib.suppress(OSError):
        asker.send(QUESTION_BEGUN)
    return True


def _kill(ready: selectors.BaseSelector, pid: int, asker: socket.socket) -> None:
    """Nobody listens to this fork any more. It was not reaped, so that the number is still its own."""
    if asker.fileno() >= 0:
        ready.unregister(asker)
        asker.close()
        os.kill(pid, signal.SIGKILL)


def _tell(ready: selectors.BaseSelector, pid: int, at_its_end: int, asker: socket.socket) -> None:
    """A fork has ended: its exit code and what it used, to who asked."""
    ready.unregister(at_its_end)
    os.close(at_its_end)
    _, status, used = os.wait4(pid, 0)
    if asker.fileno() >= 0:
        ready.unregister(asker)
        with asker, contextlib.suppress(OSError):
            asker.send(f"{os.waitstatus_to_exitcode(status)} {used.ru_utime + used.ru_stime:.6f}".encode())


def _answer(request: dict[str, object], streams: Sequence[int], parent: int) -> NoReturn:
    """The fork: a firewall with arguments, streams, directory and environment of its own."""
    code = 1
    try:
        os.setsid()
        die_with(parent)
        for number, stream in enumerate((os.open(os.devnull, os.O_RDONLY), *streams)):
            os.dup2(stream, number)
        os.closerange(3, _MOST_DESCRIPTORS)
        sys.stdout, sys.stderr = _text_on(1, sys.stdout), _text_on(2, sys.stderr)
        os.environ.clear()
        os.environ.update(request["env"])  # type: ignore[call-overload]  # names and texts, as they were sent
        time.tzset()
        os.chdir(str(request["cwd"]))
        code = main(request["arguments"])  # type: ignore[arg-type]  # a list of words
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException as error:  # noqa: BLE001 - the fork must end here, whatever happens
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    program.leave(code)


def _text_on(descriptor: int, made: TextIO) -> TextIO:
    """A stream as the interpreter ``made`` one, for another file."""
    lines = descriptor == 2
    return open(descriptor, "w", 1 if lines else -1, made.encoding, made.errors, closefd=False)


if __name__ == "__main__":
    program.imported()
    with socket.socket(fileno=os.dup(0)) as requests:
        serve(requests)
