"""Whatever the streams are like, a command ends with its own exit code; and each starts cold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.cli.commands import BATCH, COMMANDS
from console.demo.build import build_workspace
from console.demo.sources import choose_sources
from pipeline.contracts.command import Command
from pipeline.contracts.faults import ExitCode, worst
from tests.waiting import wait_until
from tests.warm_processes import COLD_VARIABLE, REPOSITORY

EVERY = (*COMMANDS, BATCH)
CHECKOUT = Path(__file__).resolve().parents[2]
ALWAYS = {ExitCode.OK, ExitCode.USAGE, ExitCode.NOT_EVALUABLE}
# Encoding, standard output, standard error; the first run says what the others must end with.
SAID = ("ascii", "file", "file")
OTHERS = [("latin-1", "gone", "file"), ("ascii", "closed", "closed"), ("latin-1", "full", "gone")]
# How many of the others: these build workspaces, run a part of the gate, or have every detector look.
FEWER = {"determinism": 1, "demo": 1, "acceptance": 1, "doctor": 1, "release-freeze": 1, "watch": 1}
Case = tuple[list[str], str, str, str]
Answer = tuple[int, str, str]


def ask(cases: list[Case], directory: Path) -> list[Answer]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.console.speaking"],
        input=json.dumps([[*case, str(directory)] for case in cases]),
        cwd=CHECKOUT,
        env={"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin", "HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [(code, out, err) for code, out, err in json.loads(done.stdout)]


def cases_of(command: Command, root: Path) -> list[Case]:
    words = ["-C", str(root), command.name, *command.example]
    return [(words, *case) for case in (SAID, *OTHERS[: FEWER.get(command.name)])]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Answer]]:
    """What every command answered, in one workspace, one after the other."""
    root = build_workspace(tmp_path_factory.mktemp("speaking") / "w", choose_sources(None))
    cases: list[Case] = [(["-C", str(root), "run-all"], *SAID)]
    cases.append((["-C", str(root), "score", "--what-if", "partial_at=0.2"], *SAID))
    for command in EVERY:
        cases += cases_of(command, root)
    first, arrow, *rest = ask(cases, root)
    assert first[0] == ExitCode.OK, first
    found = {"an arrow": [arrow]}
    for command in EVERY:
        many = len(cases_of(command, root))
        found[command.name], rest = rest[:many], rest[many:]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("command", EVERY, ids=lambda each: each.name)
def test_a_command_speaks_to_any_stream(command: Command, answers: dict[str, list[Answer]]) -> None:
    (code, out, err), *others = answers[command.name]
    assert code in {*ALWAYS, *command.exits}
    assert (out + err).isascii()
    for (_, where, _), (other_code, _, other_err) in zip(OTHERS, others, strict=False):
        expected = worst((code, ExitCode.NOT_EVALUABLE)) if where == "full" and out else code
        assert other_code == expected, (where, other_err)
        err += other_err
    assert "Traceback" not in err
    assert "has a bug" not in err


@pytest.mark.slow
def test_an_arrow_is_said_where_the_encoding_lacks_it(answers: dict[str, list[Answer]]) -> None:
    ((code, out, _),) = answers["an arrow"]
    assert code == ExitCode.OK
    assert "partial_at 0.5 -> 0.2" in out


# In an interpreter of its own, as an operator starts it: nothing is imported before

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
