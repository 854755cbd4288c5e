"""Whatever the streams are like, a command ends with its own exit code and never with a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from console.cli.commands import BATCH, COMMANDS
from console.demo.build import build_workspace
from console.demo.sources import choose_sources
from pipeline.contracts.command import Command
from pipeline.contracts.faults import ExitCode, worst

EVERY = (*COMMANDS, BATCH)
CHECKOUT = Path(__file__).resolve().parents[2]
ALWAYS = {ExitCode.OK, ExitCode.USAGE, ExitCode.NOT_EVALUABLE}
# Encoding, standard output, standard error; the first run says what the others must end with.
SAID = ("ascii", "file", "file")
OTHERS = [("latin-1", "gone", "file"), ("ascii", "closed", "closed"), ("latin-1", "full", "gone")]
# How many of the others: these build workspaces or run the gate, and the freeze runs all of it.
FEWER = {"release-freeze": 0, "determinism": 1, "demo": 1, "acceptance": 1, "doctor": 1}
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
        timeout=900,
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
