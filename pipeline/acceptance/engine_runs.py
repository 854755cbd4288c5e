"""Starts the engine that is in use: the ``pipeline`` package that this process runs from.

``interpreter`` starts it as operators do. ``forked`` saves the half second in which an interpreter
imports everything, and lets one process differ from the engine on purpose: a wall taken away, a
commit point at which it dies. Either way home, current directory and temporary files are stubs,
so that a write outside the temp root shows.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from pipeline.acceptance.temp_root import TempRoot
from pipeline.acceptance.write_watch import watch
from pipeline.contracts.discovery import INSTALLED_PACKAGE_VARIABLE, INSTALLED_PYTHON_VARIABLE, engine_argv
from pipeline.contracts.faults import IntegrityError
from pipeline.platform import streams
from pipeline.platform.child import ends_within
from pipeline.platform.first_act import die_with
from pipeline.platform.process import run
from pipeline.platform.process_end import Ended

RECORDED_AT = "2026-03-01T00:00:00Z"
TIME_LIMIT_SECONDS = 60.0
_MOST_OUTPUT_BYTES = 16 << 20
_CLEAR = b'{"state": "CLEAR", "rows_read": 1, "findings_count": 0}'
_DIED = 70  # no command ends with it: the engine raised, or could not be imported
# All that a run may inherit: settings of the operator's shell must not decide about the engine.
_INHERITED = (
    "PATH",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "USER",
    "LOGNAME",
    INSTALLED_PYTHON_VARIABLE,
    INSTALLED_PACKAGE_VARIABLE,
)


def environment(root: TempRoot, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a run. A fixed hash seed: what depends on it shows in A19, not by chance."""
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "HOME": str(root.home),
        "TMPDIR": str(root.temporary),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "LC_ALL": "C.UTF-8",
        **(more or {}),
    }


def interpreter(
    root: TempRoot,
    name: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    umask: int = 0o022,
    watched: bool = False,
) -> Ended:
    """Run a command in a new interpreter. ``name`` is what its output is kept as.

    ``watched`` lists folders backwards and logs each write outside of the root. Raises TimeoutError when
    it gives no answer.
    """
    command = engine_argv(argv)
    if watched:
        # As engine_argv, but for the module.
        module = "pipeline.acceptance.watched_engine"
        command = [sys.executable, "-P", "-m", module, str(root.path), str(root.writes_log), *argv]
    finished = run(
        command,
        limit_seconds=TIME_LIMIT_SECONDS,
        env=environment(root, env),
        cwd=root.current_directory,
        umask=umask,
        keep_bytes=_MOST_OUTPUT_BYTES,
    )
    (root.said / f"{name}.out").write_bytes(finished.stdout)
    (root.said / f"{name}.err").write_bytes(finished.stderr)
    if finished.exit_code is None:
        raise TimeoutError(f"{name}: {finished.why}")
    return finished


def forked(
    root: TempRoot,
    name: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    change: Callable[[], None] | None = None,
) -> Ended:
    """Run a command in a fork of this process, after ``change``. Its writes are watched.

    Raises TimeoutError after TIME_LIMIT_SECONDS.
    """
    streams.flush(streams.OUT)
    streams.flush(streams.ERR)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become_engine(root, name, argv, environment(root, env), change, parent)
    if not ends_within(pid, TIME_LIMIT_SECONDS):
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise TimeoutError(f"{name}: no end within {TIME_LIMIT_SECONDS:g} s")
    _, status = os.waitpid(pid, 0)
    out, err = ((root.said / f"{name}.{kind}").read_bytes() for kind in ("out", "err"))
    return Ended(os.waitstatus_to_exitcode(status), out, err)


def _become_engine(
    root: TempRoot,
    name: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    change: Callable[[], None] | None,
    parent: int,
) -> NoReturn:
    code = _DIED
    try:
        os.setpgid(0, 0)
        die_with(parent)
        os.environ.clear()
        os.environ.update(env)
        os.chdir(root.current_directory)
        os.umask(0o022)
        _redirect(0, Path(os.devnull), os.O_RDONLY)
        _redirect(1, root.said / f"{name}.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        _redirect(2, root.said / f"{name}.err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - a descriptor
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
        watch(str(root.path), str(root.writes_log))
        from pipeline import cli

        if change is not None:
            change()
        code = cli.main(list(argv))
    except BaseException as error:  # noqa: BLE001 - the fork must end here, whatever happens
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        sys.stderr.flush()
        os._exit(code)


def _redirect(descriptor: int, path: Path, flags: int) -> None:
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, descriptor)
    os.close(opened)


def take_firewall_away() -> None:
    """Let this process's engine believe that every staged file was scanned and is clear."""
    from pipeline.platform import firewall

    if "started" not in vars(firewall):
        raise RuntimeError("the firewall is not asked in pipeline/platform/firewall.py any more")
    vars(firewall)["started"] = lambda _arguments, **_how: _SaysClear()


class _SaysClear:
    """What answers in place of a firewall."""

    def count_from_now(self) -> None:
        """It takes no time."""

    def wait(self, _check: object = None) -> Ended:
        return Ended(0, _CLEAR)

    def end(self) -> None:
        """There is nothing to end."""


def must_end_with(ended: Ended, wanted: int, what: str) -> Ended:
    """``ended``, when it ended as it must. Raises IntegrityError: the engine broke its word."""
    if ended.exit_code != wanted:
        raise IntegrityError.of(
            code="run_ended_wrongly",
            what_happened=f"{what} ended with {ended.exit_code}, not {wanted}: {ended.reason}",
            kept_safe="It ran in the temp root; nothing of the workspace was touched.",
            do_next="Look at what it said, in the temp root's folder `said`.",
        )
    return ended
