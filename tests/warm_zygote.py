"""The other side of ``warm_processes``: it has imported everything, and becomes a program when asked."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, NoReturn

from pipeline.platform import first_act
from tests.warm_processes import ENGINE, MOST_REQUEST_BYTES, PROGRAMS, READY, forget, keep


def serve(descriptor: int, flags: tuple[str, ...], engine: str) -> None:
    """A zygote's whole life: until whoever asks is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _import_all(flags, of_a_workspace=bool(engine))
    gc.collect()
    gc.freeze()
    channel = socket.socket(fileno=descriptor)
    channel.send(READY)
    _serve(channel)


def _serve(channel: socket.socket) -> None:
    while True:
        data, streams, _, _ = socket.recv_fds(channel, MOST_REQUEST_BYTES, 3)
        if not data:
            os._exit(0)
        reading, writing = os.pipe()
        between = os.fork()
        if between == 0:
            if pid := os.fork():
                os.write(writing, str(pid).encode())
                os._exit(0)
            os.close(reading)
            os.close(writing)
            _become(channel, json.loads(data), streams)
        # Only when the one between is gone has the child its other parent.
        os.waitpid(between, 0)
        channel.send(os.read(reading, 32))
        for descriptor in (reading, writing, *streams):
            os.close(descriptor)


def _import_all(flags: tuple[str, ...], *, of_a_workspace: bool) -> None:
    """Every module of the programs, but those that a program is started as and those of the screens.

    Raises what a module of a workspace's engine raises: that engine is started really.
    """
    packages = ("pipeline",) if flags == ENGINE else ("pipeline", "runbook", "console")
    for package in packages:
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            name = found.name
            if name.endswith("__main__") or name.startswith(("console.tui", "pipeline.templates")):
                continue
            try:
                importlib.import_module(name)
            except ImportError:  # ours may need an optional group that is not installed
                if of_a_workspace:
                    raise
    if flags == ENGINE:
        importlib.import_module("pipeline.engine.code_digest").engine_digest()


def _become(channel: socket.socket, request: dict[str, Any], streams: Sequence[int]) -> NoReturn:
    """The child: first what an interpreter would find as it starts, then the program."""
    while os.getppid() != request["parent"]:  # until the one between is gone
        time.sleep(0.0002)
        if os.getppid() == 1:
            os._exit(1)
    if request["session"]:
        os.setsid()
    elif request["group"] != -1:
        os.setpgid(0, request["group"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    channel.detach()
    os.closerange(3, max(256, *(stream + 1 for stream in streams)))
    if request["death"]:
        first_act._act(ctypes.CDLL(None).prctl, request["parent"], request["nice"], request["death"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    if request["cwd"] is not None:
        os.chdir(request["cwd"])
    if request["umask"] >= 0:
        os.umask(request["umask"])
    _reopen_streams()
    forget()
    flags, program = tuple(request["flags"]), request["program"]
    if PROGRAMS[flags, program]:
        _keep_zygote()
    code: object = None
    try:
        _run(program, request["arguments"])
    except SystemExit as ended:
        code = ended.code
    leave(code)


def _run(program: str, arguments: Sequence[str]) -> None:
    if program.endswith(".py"):
        sys.argv = [program, *arguments]
        runpy.run_path(program, run_name="__main__")
        return
    sys.argv = ["-m", *arguments]
    if not hasattr(sys.modules.get(program), "__path__"):
        sys.modules.pop(program, None)  # it is about to be the main module
    runpy.run_module(program, run_name="__main__", alter_sys=True)


def leave(code: object) -> NoReturn:
    """End as an interpreter does, but for taking all modules apart.

    That would touch, and so copy, every page that is shared with the warm process: half of what a short
    command costs. Whatever is unusual about the end is left to the interpreter.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # as an interpreter first waits for threads
    atexit._run_exitfuncs()
    if code is None or isinstance(code, int):
        with contextlib.suppress(Exception):
            for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
                if stream is not None and not stream.closed:
                    stream.flush()
            os._exit((code or 0) & 0xFF)
    sys.exit(code)  # type: ignore[arg-type]  # a text


def _keep_zygote() -> None:
    """A copy of us as we are now, for the programs that the program starts."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        ours.close()
        first_act.die_with(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        _serve(theirs)
    theirs.close()
    keep(ours, pid)


def _reopen_streams() -> None:
    """Text streams on the new descriptors, as an interpreter makes them."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old = getattr(sys, f"__{name}__")
        raw = io.FileIO(number, "r" if number == 0 else "w", closefd=False)
        buffer: Any = io.BufferedReader(raw) if number == 0 else io.BufferedWriter(raw)
        new = io.TextIOWrapper(
            buffer,
            encoding=old.encoding,
            errors=old.errors,
            line_buffering=number == 2 or raw.isatty(),
        )
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
