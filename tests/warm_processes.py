"""Our own programs, started without the third of a second in which an interpreter imports them.

Hundreds of tests start ``python -P -m pipeline …`` or ``-m console …`` as a process of its own. Such a
start is answered here by a fork of a process that has imported everything and done nothing else: it has
the argv, environment, directory, streams, session and priority that were asked for, and is a child of the
one who asked, so that waiting for it, killing it and its death with its parent are as always.

An engine of a workspace's own has a process of its own to be forked from: it runs from a copy that is named
for its bytes, and one that does not load in every module is started really, and fails as it does.

What a fork cannot be is started really, too: another interpreter, another PYTHONPATH, hash seed or locale,
``-c`` programs. DISTILL_COLD_TESTS=1 starts everything really; in the environment of one start it does so
for that one.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import inspect
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.contracts.discovery import ENGINE_FLAGS
from pipeline.platform import first_act

REPOSITORY = Path(__file__).parents[1]
COLD_VARIABLE = "DISTILL_COLD_TESTS"
_PR_SET_CHILD_SUBREAPER = 36
ENGINE, _CONSOLE = ENGINE_FLAGS, ("-P",)
# The program by its interpreter flags and module; and whether it starts programs of ours by itself.
PROGRAMS = {
    (ENGINE, "pipeline"): True,
    (ENGINE, "pipeline.firewall"): False,
    (ENGINE, str(REPOSITORY / "pipeline/platform/engine_probe.py")): False,
    (_CONSOLE, "console"): True,
    (_CONSOLE, "runbook.worker"): True,
}
# Decided when an interpreter starts, and so the same for all forks.
_DECIDED_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "GLIBC_")
# The folder in which the engine of a workspace is copied to run, named for its bytes.
_COPY_OF_ENGINE = re.compile(r"/.+/engines/[0-9a-f]{64}")
# So many of them are kept ready; the one that was not asked for longest makes room.
_MOST_ENGINES = 3
MOST_REQUEST_BYTES = 1 << 17
READY = b"ready"
_Popen = subprocess.Popen
_PARAMETERS = tuple(inspect.signature(_Popen._execute_child).parameters)[1:]  # type: ignore[attr-defined]


@dataclass(frozen=True)
class _Start:
    """What is asked of a fork."""

    flags: tuple[str, ...]
    engine: str  # the folder of a workspace's own; empty for the installed one
    program: str  # a module, or the path of a file
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
        if start.engine:
            self.pid = _forked_of(start.engine, start, streams)
        else:
            self.pid = _zygote(start.flags).fork(start, streams)
        if not self.pid:
            _Popen._execute_child(self, *arguments)  # type: ignore[attr-defined]
            return
        self._child_created = True
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(asked[name] for name in pipes))  # type: ignore[attr-defined]


_enabled = False
_owner = 0
_zygotes: dict[tuple[str, ...], _Zygote] = {}
# None for one that does not load.
_engines: OrderedDict[str, _Zygote | None] = OrderedDict()
_engines_lock = threading.Lock()


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
    while _engines:
        _end(_engines.popitem()[1])


def _end(zygote: _Zygote | None) -> None:
    if zygote is not None:
        zygote.end()


def _start_of(asked: Mapping[str, Any]) -> _Start | None:
    """The request, when a fork can be what was asked for."""
    argv = asked["args"]
    if not isinstance(argv, Sequence) or isinstance(argv, str | bytes):
        return None
    words = [os.fspath(word) for word in argv]
    if "-m" in words[:6]:
        at = words.index("-m")
        flags, named, rest = tuple(words[1:at]), words[at + 1], words[at + 2 :]
    else:
        at = 1 + len(ENGINE)
        flags, named, rest = tuple(words[1:at]), "".join(words[at : at + 1]), words[at + 1 :]
    env = dict(os.environ if asked["env"] is None else asked["env"])
    act = asked["preexec_fn"]
    engine = ""
    if (
        words[0] != _PYTHON
        or (flags, named) not in PROGRAMS
        or not all(isinstance(text, str) for text in (*words, *env, *env.values()))
        or env.get(COLD_VARIABLE)
        or any(asked[name] for name in ("executable", "shell", "pass_fds", "gids"))
        or any(asked[name] not in (None, -1) for name in ("gid", "uid"))
        or not (_has_our_start(env) or (engine := _engine_of(flags, named, env)))
        or not (act is None or _is_first_act(act))
        or not (asked["cwd"] is None or Path(asked["cwd"]).is_dir())
        or sum(map(len, words)) + sum(len(name) + len(env[name]) for name in env) > MOST_REQUEST_BYTES // 2
    ):
        return None
    _, _, nice, death = act.args if act is not None else (None, 0, 0, 0)
    return _Start(
        flags,
        engine,
        named,
        rest,
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


def _engine_of(flags: tuple[str, ...], named: str, env: Mapping[str, str]) -> str:
    """The folder of the workspace's own engine that would run, and nothing else is unusual; or nothing.

    Only the tests' own process keeps engines ready: what a program of ours starts is started once or twice.
    """
    place = env.get("PYTHONPATH", "")
    if not _keeps_engines or flags != ENGINE or named == "pipeline.firewall":
        return ""
    if not _COPY_OF_ENGINE.fullmatch(place) or not _has_our_start({**env, "PYTHONPATH": str(REPOSITORY)}):
        return ""
    return place


def keep(zygote: socket.socket, pid: int) -> None:
    """In a program of ours that starts others: from here on they are forks of ``pid``, its own child."""
    global _keeps_engines, _kept
    _keeps_engines, _kept = False, pid
    atexit.register(_end_kept)
    for flags in (ENGINE, _CONSOLE):
        _zygotes[flags] = _Zygote(zygote)
    install()


def _end_kept() -> None:
    """At the end of such a program, so that it leaves no child behind."""
    if _kept and os.getpid() == _owner:
        os.kill(_kept, signal.SIGKILL)
        os.waitpid(_kept, 0)


def forget() -> None:
    """In a fork: whoever was ready for the one that it was forked from is not its own."""
    _zygotes.clear()


_keeps_engines = True
_kept = 0
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
    def start(cls, flags: tuple[str, ...], engine: str = "") -> _Zygote:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = f"from tests.warm_zygote import serve; serve({theirs.fileno()}, {flags!r}, {engine!r})"
        with theirs:
            helper = _Popen(
                [_PYTHON, *flags, "-c", f"import sys; sys.path.append({str(REPOSITORY)!r}); {code}"],
                pass_fds=[theirs.fileno()],
                env={**_ENVIRONMENT, "PYTHONPATH": engine} if engine else _ENVIRONMENT,
                stderr=subprocess.DEVNULL if engine else None,
                cwd="/",
            )
        return cls(ours, helper)

    def is_ready(self) -> bool:
        """Waits until it has imported everything; false for one that ended before."""
        return self._channel.recv(32) == READY

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
        zygote = _zygotes[flags] = _Zygote.start(flags)
        assert zygote.is_ready()
    return _zygotes[flags]


def _forked_of(engine: str, start: _Start, streams: list[int]) -> int:
    """As ``fork``, of a workspace's own engine; 0 when a module of it does not load."""
    with _engines_lock:
        if engine not in _engines:
            zygote = _Zygote.start(ENGINE, engine)
            _engines[engine] = zygote if zygote.is_ready() else None
            if _engines[engine] is None:
                zygote.end()
        _engines.move_to_end(engine)
        for oldest in [name for name, each in _engines.items() if each is not None][:-_MOST_ENGINES]:
            _end(_engines.pop(oldest))
        chosen = _engines[engine]
        return chosen.fork(start, streams) if chosen is not None else 0


@contextlib.contextmanager
def _subreaper() -> Any:
    """Whoever loses its parent below us becomes our child: so does what a zygote's fork leaves behind."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
