"""Our own programs, started without the third of a second in which an interpreter imports them.

Hundreds of tests start ``python -P -m pipeline …`` or ``-m console …`` as a process of its own. Such a
start is answered here by a fork of a process that has imported everything and done nothing else: it has
the argv, environment, directory, streams, session and priority that were asked for, and is a child of the
one who asked, so that waiting for it, killing it and its death with its parent are as always.

What a fork cannot be is started really: another interpreter, another PYTHONPATH, hash seed or locale, an
engine of a workspace's own, ``-c`` programs. DISTILL_COLD_TESTS=1 starts everything really; in the
environment of one start it does so for that one.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import inspect
import io
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pipeline.contracts.discovery import ENGINE_FLAGS
from pipeline.platform import first_act

REPOSITORY = Path(__file__).parents[1]
COLD_VARIABLE = "DISTILL_COLD_TESTS"
_PR_SET_CHILD_SUBREAPER = 36
_ENGINE, _CONSOLE = ENGINE_FLAGS, ("-P",)
# The program by its interpreter flags and module; and whether it starts programs of ours by itself.
_PROGRAMS = {
    (_ENGINE, "pipeline"): False,
    (_ENGINE, "pipeline.firewall"): False,
    (_CONSOLE, "console"): True,
    (_CONSOLE, "runbook.worker"): True,
}
# Decided when an interpreter starts, and so the same for all forks.
_DECIDED_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "GLIBC_")
_MOST_REQUEST_BYTES = 1 << 17
_Popen = subprocess.Popen
_PARAMETERS = tuple(inspect.signature(_Popen._execute_child).parameters)[1:]  # type: ignore[attr-defined]


@dataclass(frozen=True)
class _Start:
    """What is asked of a fork."""

    flags: tuple[str, ...]
    module: str
    arguments: list[str]
    cwd: str | None
    env: dict[str, str]
    umask: int
    session: bool
    group: int
    nice: int
    death: int


class WarmPopen(subprocess.Popen):  # type: ignore[type-arg]  # generic in stubs only
    """A Popen that forks one of our programs instead of starting an interpreter for it."""

    def _execute_child(self, *arguments: Any) -> None:
        asked = dict(zip(_PARAMETERS, arguments, strict=True))
        # What a process forked off by itself shares with us is not its own: a fork would become our child.
        start = _start_of(asked) if _enabled and os.getpid() == _owner else None
        if start is None:
            _Popen._execute_child(self, *arguments)  # type: ignore[attr-defined]
            return
        ends = [asked["p2cread"], asked["c2pwrite"], asked["errwrite"]]
        streams = [number if end == -1 else end for number, end in enumerate(ends)]
        self.pid = _zygote(start.flags).fork(start, streams)
        self._child_created = True
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(asked[name] for name in pipes))  # type: ignore[attr-defined]


_enabled = False
_owner = 0
_zygotes: dict[tuple[str, ...], _Zygote] = {}


def install() -> None:
    """From here on in this process, unless the environment asks for real starts."""
    global _enabled, _owner
    if sys.platform == "linux" and not os.environ.get(COLD_VARIABLE):
        _enabled, _owner = True, os.getpid()
        subprocess.Popen = WarmPopen  # type: ignore[misc]


def end() -> None:
    """At the end of the tests: no helper stays behind."""
    while _zygotes:
        _zygotes.popitem()[1].end()


def _start_of(asked: Mapping[str, Any]) -> _Start | None:
    """The request, when a fork can be what was asked for."""
    argv = asked["args"]
    if not isinstance(argv, Sequence) or isinstance(argv, str | bytes) or "-m" not in argv[:6]:
        return None
    words = [os.fspath(word) for word in argv]
    at = words.index("-m")
    flags, module = tuple(words[1:at]), words[at + 1]
    env = dict(os.environ if asked["env"] is None else asked["env"])
    act = asked["preexec_fn"]
    if (
        words[0] != _PYTHON
        or (flags, module) not in _PROGRAMS
        or not all(isinstance(text, str) for text in (*words, *env, *env.values()))
        or env.get(COLD_VARIABLE)
        or any(asked[name] for name in ("executable", "shell", "pass_fds", "gids"))
        or any(asked[name] not in (None, -1) for name in ("gid", "uid"))
        or not _has_our_start(env)
        or not (act is None or _is_first_act(act))
        or not (asked["cwd"] is None or Path(asked["cwd"]).is_dir())
        or sum(map(len, words)) + sum(len(name) + len(env[name]) for name in env) > _MOST_REQUEST_BYTES // 2
    ):
        return None
    _, _, nice, death = act.args if act is not None else (None, 0, 0, 0)
    return _Start(
        flags,
        module,
        words[at + 2 :],
        None if asked["cwd"] is None else os.fspath(asked["cwd"]),
        env,
        asked["umask"],
        bool(asked["start_new_session"]),
        asked["process_group"],
        nice,
        int(death),
    )


def _is_first_act(act: object) -> bool:
    return isinstance(act, functools.partial) and act.func is first_act._act


def _has_our_start(env: Mapping[str, str]) -> bool:
    theirs, ours = (
        {name: value for name, value in each.items() if name.startswith(_DECIDED_AT_START)}
        for each in (env, _ENVIRONMENT)
    )
    # Where it lies already, the path of this repository changes nothing.
    return {**theirs, "PYTHONPATH": ""} == {**ours, "PYTHONPATH": ""} and theirs.get("PYTHONPATH") in (
        None,
        str(REPOSITORY),
        ours.get("PYTHONPATH"),
    )


_PYTHON = sys.executable
_ENVIRONMENT = dict(os.environ)


class _Zygote:
    """A process that has imported what programs with these flags need; it forks one for each request."""

    def __init__(self, channel: socket.socket, helper: subprocess.Popen[bytes] | None = None) -> None:
        self._channel = channel
        self._helper = helper
        self._lock = threading.Lock()

    def end(self) -> None:
        """It ends when its channel does."""
        self._channel.close()
        if self._helper is not None:
            self._helper.wait()

    @classmethod
    def start(cls, flags: tuple[str, ...]) -> _Zygote:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = f"from tests.warm_processes import serve; serve({theirs.fileno()}, {flags!r})"
        with theirs:
            helper = _Popen(
                [_PYTHON, *flags, "-c", f"import sys; sys.path.append({str(REPOSITORY)!r}); {code}"],
                pass_fds=[theirs.fileno()],
                env=_ENVIRONMENT,
                cwd="/",
            )
        return cls(ours, helper)

    def fork(self, start: _Start, streams: list[int]) -> int:
        """The process id of a child of ours that becomes the program."""
        request = json.dumps({**start.__dict__, "parent": os.getpid()}).encode()
        with self._lock, _subreaper():
            socket.send_fds(self._channel, [request], streams)
            pid = int(self._channel.recv(32))
        assert pid, "the warm process has ended"
        return pid


def _zygote(flags: tuple[str, ...]) -> _Zygote:
    if flags not in _zygotes:
        _zygotes[flags] = _Zygote.start(flags)
    return _zygotes[flags]


@contextlib.contextmanager
def _subreaper() -> Any:
    """Whoever loses its parent below us becomes our child: so does what a zygote's fork leaves behind."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def serve(descriptor: int, flags: tuple[str, ...]) -> None:
    """A zygote's whole life: until whoever asks is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _import_all(flags)
    gc.collect()
    gc.freeze()
    _serve(socket.socket(fileno=descriptor))


def _serve(channel: socket.socket) -> None:
    while True:
        data, streams, _, _ = socket.recv_fds(channel, _MOST_REQUEST_BYTES, 3)
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


def _import_all(flags: tuple[str, ...]) -> None:
    """Every module of the programs, but those that a program is started as and those of the screens."""
    packages = ("pipeline",) if flags == _ENGINE else ("pipeline", "runbook", "console")
    for package in packages:
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            name = found.name
            if name.endswith("__main__") or name.startswith(("console.tui", "pipeline.templates")):
                continue
            with contextlib.suppress(ImportError):  # an optional group that is not installed
                importlib.import_module(name)
    if flags == _ENGINE:
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
    _zygotes.clear()
    flags, module = tuple(request["flags"]), request["module"]
    if _PROGRAMS[flags, module]:
        _keep_zygote()
    sys.argv = ["-m", *request["arguments"]]
    if not hasattr(sys.modules.get(module), "__path__"):
        sys.modules.pop(module, None)  # it is about to be the main module
    code: object = None
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code
    leave(code)


def leave(code: object) -> NoReturn:
    """End as an interpreter does, but for taking all modules apart.

    That would touch, and so copy, every page that is shared with the warm process: half of what a short
    command costs. Whatever is unusual about the end is left to the interpreter.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # as an interpreter first waits for threads
    atexit._run_exitfuncs()
    if code is None or isinstance(code, int):
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit((code or 0) & 0xFF)
    sys.exit(code)  # type: ignore[arg-type]  # a text


def _keep_zygote() -> None:
    """A copy of us as we are now, for the programs that the program starts."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    if os.fork() == 0:
        ours.close()
        first_act.die_with(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        _serve(theirs)
    theirs.close()
    for flags in (_ENGINE, _CONSOLE):
        _zygotes[flags] = _Zygote(ours)
    install()


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
