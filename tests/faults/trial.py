"""One trial: a command of ours, started by a fork of this process, and what must hold when it has ended."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.contracts.faults import ExitCode
from tests.warm_zygote import leave

Tree = Mapping[str, bytes]
LIMIT_SECONDS = 120.0
# What no command may ever say of a fault that is not its own.
FORBIDDEN = ("Traceback", " bug", "lost sys.", "Exception ignored", "internal error")
_PR_SET_CHILD_SUBREAPER = 36
_PR_CAPBSET_DROP = 24
_CAPABILITIES_3 = 0x20080522
_OVERRIDES = (1, 2)
_INCIDENT = re.compile(r"\d{8}-\d{4}-[\w-]+")
# The three lines of a fault, by how they begin.
THREE_LINES = ("what happened", "kept safe", "do next")


@dataclass(frozen=True)
class Subject:
    """A command on a workspace of its own.

    ``argv`` begins with the program, pipeline or console. ``watched`` gives the files that may hold their
    bytes from before, or those from after, and nothing else; as a set where ``all_or_nothing``. ``ends_with``
    is how it ends when it is left alone. ``settle`` is done before files are looked at, in a copy.
    """

    start: Path
    argv: Sequence[str]
    watched: Callable[[Path], Tree]
    ends_with: int = ExitCode.OK
    again: Sequence[str] = ()
    all_or_nothing: bool = False
    settle: Callable[[Path], object] | None = None
    name: str = ""
    before: Tree = field(default_factory=dict)
    after: Tree = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Ended:
    """Exit code (negative for a signal), and what it wrote to both streams."""

    code: int
    text: str


@dataclass(frozen=True)
class Trial:
    """``what`` is done to the command at its ``number``: what that met (empty: nothing), what it broke."""

    subject: str
    what: str
    number: int
    carry_out: Callable[[], tuple[str, list[str]]]


def warm_up() -> None:
    """Import what commands import, once for all forks."""
    for name in (
        "pipeline.cli",
        "pipeline.commands.run_all",
        "pipeline.commands.export",
        "pipeline.commands.audit_full",
        "console.cli.distill",
        "runbook.commands.runbook",
        "console.batch.parts",
    ):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


@dataclass(frozen=True)
class World:
    """What is odd around a command. ``environment`` is added to its own; ``powerless``: permissions hold for
    root as well; ``fresh``: an interpreter of its own, which reads its locale, and no fork of ours.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    powerless: bool = False
    fresh: bool = False

    def started(self, argv: Sequence[str]) -> list[str]:
        """``argv`` of an interpreter; where this world has no power over modes, it starts without it."""
        return [sys.executable, "-c", _WITHOUT_POWER, *argv] if self.powerless else list(argv)


_WITHOUT_POWER = (
    "import os, sys; from tests.faults.trial import lay_down_power; lay_down_power(); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)
PLAIN = World()


class Running:
    """A command under way in a process group of its own."""

    def __init__(self, argv: Sequence[str], root: Path, output: Path, world: World = PLAIN) -> None:
        self._output = output
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _become(argv, root, output, world)
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.setpgid(self.pid, self.pid)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def wait(self, seconds: float = LIMIT_SECONDS) -> Ended | None:
        """How it ended; None when it has not, within ``seconds``."""
        until = time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                text = self._output.read_text(encoding="utf-8", errors="replace")
                return Ended(os.waitstatus_to_exitcode(status), text)
            if time.monotonic() >= until:
                return None
            time.sleep(0.001)


def run(argv: Sequence[str], root: Path, output: Path, world: World = PLAIN) -> Ended:
    """A command to its end. One without an end is killed; its code is then that of the signal."""
    running = Running(argv, root, output, world)
    ended = running.wait()
    if ended is None:
        running.kill()
        ended = running.wait()
    assert ended is not None, "a killed process did not end"
    return ended


def _become(argv: Sequence[str], root: Path, output: Path, world: World) -> None:
    try:
        atexit._clear()  # what this process would remove at its end is not the fork's
        os.setpgid(0, 0)
        os.chdir(root)
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.environ.update(world.environment)
        program, *words = argv
        if world.powerless:
            lay_down_power()
        if world.fresh:
            entry_point = _ENTRY[program]
            os.execve(sys.executable, [sys.executable, "-P", "-c", entry_point, *words], dict(os.environ))  # noqa: S606
        sys.argv = [program, *words]
        module = "pipeline.cli" if program == "pipeline" else "console.cli.distill"
        entry = importlib.import_module(module)
        leave(entry.main(words) if program == "pipeline" else entry.entry())
    except BaseException as error:  # noqa: BLE001 - a fork must never go on as its parent
        if isinstance(error, SystemExit):
            os._exit(error.code if isinstance(error.code, int) else 1)
        import traceback

        traceback.print_exc()
    os._exit(99)


_ENTRY = {
    "pipeline": "import sys; from pipeline.cli import main; sys.exit(main(sys.argv[1:]))",
    "console": "from console.cli.distill import entry; entry()",
}


def lay_down_power() -> None:
    """Without CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, here and in what is started, root obeys modes too."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in _OVERRIDES:
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_3, 0)
    sets = (ctypes.c_uint32 * 6)()
    if libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget")
    for at in range(3):
        sets[at] &= ~sum(1 << capability for capability in _OVERRIDES)
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")


def adopt_orphans() -> None:
    """What a command leaves running becomes our child, so that ``await_orphans`` can wait for it."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def await_orphans(seconds: float = LIMIT_SECONDS) -> bool:
    """Whether all that ended commands left running has ended: a repair goes on detached, by design."""
    until = time.monotonic() + seconds
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if not pid:
            if time.monotonic() >= until:
                return False
            time.sleep(0.001)


def copied(start: Path, to: Path) -> Path:
    """A fresh copy of ``start`` at ``to``, when nothing writes there any more."""
    if not await_orphans():
        raise RuntimeError("a process that a command left behind does not end")
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(start, to, symlinks=True)
    return to


def what_is_wrong(subject: Subject, root: Path, ended: Ended, scratch: Path, *, killed: bool) -> list[str]:
    """What the end of a disturbed command breaks of what we promise; empty when all holds."""
    wrong = [f"says {word!r}" for word in FORBIDDEN if word in ended.text]
    if not killed:
        wrong += _wrong_end(subject, ended)
    wrong += _wrong_files(subject, root, scratch, whole=ended.code == subject.ends_with)
    return wrong


def _wrong_end(subject: Subject, ended: Ended) -> list[str]:
    if ended.code == subject.ends_with:
        return []
    if ended.code != ExitCode.NOT_EVALUABLE:
        return [f"ends with {ended.code}: {_last(ended.text)}"]
    missing = [line for line in THREE_LINES if line not in ended.text]
    return [f"does not say {', '.join(missing)}: {_last(ended.text)}"] if missing else []


def _wrong_files(subject: Subject, root: Path, scratch: Path, *, whole: bool) -> list[str]:
    if subject.settle is not None:
        root = copied(root, scratch)
        subject.settle(root)
    found = subject.watched(root)
    if whole:
        return [] if found == subject.after else [f"says it is done, and {_differing(found, subject.after)}"]
    if found in (subject.before, subject.after):
        return []
    if subject.all_or_nothing:
        return [f"neither before nor after: {_differing(found, subject.before)}"]
    odd = [
        name
        for name in sorted({*found, *subject.before, *subject.after})
        if found.get(name) not in (subject.before.get(name), subject.after.get(name))
    ]
    return [f"neither before nor after: {', '.join(odd[:3])}"] if odd else []


def unfinished(subject: Subject, root: Path, output: Path) -> list[str]:
    """The same command on a sound machine must end where an undisturbed one ends."""
    await_orphans()  # a repair that its command left going on is waited for, as its words say
    ended = run(subject.again or subject.argv, root, output)
    if ended.code != subject.ends_with:
        return [f"cannot be finished, {ended.code}: {_last(ended.text)}"]
    found = subject.watched(root)
    return [] if found == subject.after else [f"finished otherwise: {_differing(found, subject.after)}"]


def _differing(one: Tree, other: Tree) -> str:
    names = [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
    return ", ".join(names[:3]) or "nothing differs"


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("what happened")]
    return _INCIDENT.sub("<incident>", (told or lines or ["it said nothing"])[-1])[:160]
