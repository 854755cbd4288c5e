"""Every command starts in an interpreter of its own, as an operator starts it: nothing is imported before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.cli.commands import BATCH, COMMANDS
from pipeline.contracts.faults import ExitCode
from tests.console.polling import wait_until
from tests.warm_processes import COLD_VARIABLE, REPOSITORY

# These look at everything that there is, several times over; their parts are started by the others.
_LONG = {"release-freeze", "determinism", "acceptance", "demo"}


@pytest.mark.slow
def test_every_command_starts_cold(tmp_path: Path) -> None:
    env = {**os.environ, COLD_VARIABLE: "1", "PYTHONPATH": str(REPOSITORY)}
    program = [sys.executable, "-P", "-m", "console", "-C", str(tmp_path)]
    commands = {command.name: command for command in (*COMMANDS, BATCH) if command.name not in _LONG}
    for name in ("init", *(name for name in commands if name != "init")):  # a workspace before all else
        argv = [*program, name, *commands[name].example]
        with (
            (tmp_path / "said").open("w+") as said,
            subprocess.Popen(
                argv, env=env, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
            ) as started,
        ):
            command_line = Path(f"/proc/{started.pid}/cmdline")
            wait_until(command_line.read_bytes, "the program")
            assert command_line.read_text().split("\0")[:-1] == argv  # not a fork of a warm process
            started.wait(300)
            said.seek(0)
            words = said.read()
        may_end_with = {ExitCode.OK, ExitCode.USAGE, ExitCode.NOT_EVALUABLE, *commands[name].exits}
        assert started.returncode in may_end_with, (name, words)
        for trouble in ("Traceback", "has a bug", "not a workspace", "wont-start"):
            assert trouble not in words, (name, words)
