"""A firewall that hangs, a worker that never ends: a signal ends the run all the same, and frees the lock."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.platform import lock
from tests.pipeline.engine.workspaces import RECORDED_AT, make_workspace
from tests.waiting import LIMIT_SECONDS

# What hangs would hang for an hour; what heeds a signal does so within a second on a quiet machine.
LONG_SECONDS = LIMIT_SECONDS
SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture
def python_with_hung_firewall(tmp_path: Path) -> Path:
    """An interpreter whose firewall says nothing, names itself in ``stuck`` and is deaf to SIGTERM."""
    python = tmp_path / "python"
    python.write_text(
        textwrap.dedent(
            f"""\
            #!/bin/sh
            case " $* " in
            *" pipeline.firewall "*)
                trap '' TERM INT
                echo $$ >> {tmp_path / "stuck"}
                while :; do sleep 3600; done ;;
            esac
            exec {sys.executable} "$@"
            """
        )
    )
    python.chmod(0o755)
    return python


def start(code: str, *arguments: object, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )


def stuck_processes(file: Path, run: subprocess.Popen[bytes], count: int = 1) -> list[int]:
    """Wait until so many have named themselves."""
    until = time.monotonic() + LONG_SECONDS
    while not file.exists() or file.read_text().count("\n") < count:
        assert run.poll() is None, (run.stderr.read() if run.stderr else b"").decode()
        assert time.monotonic() < until, "nothing hangs"
        time.sleep(0.01)
    return [int(pid) for pid in file.read_text().split()]


def signalled(run: subprocess.Popen[bytes], number: signal.Signals, stuck: Sequence[int]) -> str:
    """Send it, wait for the end of ``run`` and of all that was stuck; what was said on stderr."""
    watched = [os.pidfd_open(pid) for pid in stuck]
    try:
        run.send_signal(number)
        _, said = run.communicate(timeout=LONG_SECONDS)
        for descriptor in watched:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            assert poll.poll(LONG_SECONDS * 1000), "what hung hangs on"
    finally:
        run.kill()
        for pid, descriptor in zip(stuck, watched, strict=True):
            if Path(f"/proc/{pid}").exists():
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            os.close(descriptor)
    return said.decode()


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    "command",
    [
        ["run-all", "--no-cache", "--recorded-at", "2026-02-01T00:00:00Z"],
        ["export", "--recorded-at", "2026-02-01T00:00:00Z"],
        ["score"],
        ["audit-full"],
        ["acceptance"],
        ["--batch", "--only", "firewall"],
        ["--batch", "--only", "run-all"],
    ],
    ids=" ".join,
)
def test_a_hung_firewall_keeps_no_command_alive(
    workspace: Path,
    tmp_path: Path,
    python_with_hung_firewall: Path,
    command: list[str],
    number: signal.Signals,
) -> None:
    code = """
        import os, sys
        from console.cli.distill import entry
        sys.executable = os.environ["DISTILL_INSTALLED_PYTHON"]
        sys.argv[0] = "distill"
        entry()
    """
    if command == ["score"]:
        # Verdicts that are what the firewall called clear are not judged again, so that one is missing.
        scored = min((workspace / paths.SCORED_RUNS).glob("*.jsonl"))
        scored.write_bytes(b"".join(scored.read_bytes().splitlines(keepends=True)[:-1]))
    run = start(code, *command, "-C", workspace, DISTILL_INSTALLED_PYTHON=str(python_with_hung_firewall))
    said = signalled(run, number, stuck_processes(tmp_path / "stuck", run))

    assert run.returncode == 128 + number, said
    assert "Traceback" not in said
    assert not lock.is_held(workspace)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_never_ends_keeps_no_run_alive(
    tmp_path: Path, number: signal.Signals, workers: int
) -> None:
    workspace = make_workspace(tmp_path / "w")
    code = """
        import os, sys, time
        from pipeline.cli import main
        from pipeline.engine import mapping

        def work(task):
            with open(sys.argv[1], "a") as file:
                file.write(f"{os.getpid()}\\n")
            while True:
                try:
                    time.sleep(3600)
                except Exception:  # as a stage that takes every error for trouble with a row
                    pass

        mapping.work = work
        sys.exit(main(sys.argv[2:]))
    """
    run = start(
        code,
        tmp_path / "stuck",
        *("run-all", "-C", workspace, "--workers", workers),
        *("--chunk-bytes", "4KiB", "--recorded-at", RECORDED_AT),
    )
    said = signalled(run, number, stuck_processes(tmp_path / "stuck", run, count=workers))

    assert run.returncode == 128 + number, said
    assert "stopped at a safe point" in said
    assert not lock.is_held(workspace)
    assert not (workspace / paths.SFT_EXPORT).exists()
    assert list((workspace / paths.STAGING).glob("*")) == []
