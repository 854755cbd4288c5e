"""One process imports a whole engine and answers for it; what loaded once is remembered, nothing else is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from pipeline.contracts.discovery import EngineChoice, engine_argv
from pipeline.platform import engine_modules
from pipeline.platform.engine_modules import EngineModules, load_all
from pipeline.platform.process import run
from tests.waiting import LIMIT_SECONDS

ELAPSED = re.compile(r'"elapsed_seconds": [0-9.e-]+')
SPEAKS = """
import sys
print("heard", sys.argv[1:])
print("and said", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EngineChoice:
    """An engine of one's own that nobody has looked at."""
    monkeypatch.setattr(engine_modules, "_loaded", {})
    package = tmp_path / "pipeline"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(SPEAKS)
    (package / "stage.py").write_text("LIMIT = 1\n")
    return EngineChoice("workspace", tmp_path, "a test", tmp_path)


def looked(choice: EngineChoice, *commands: list[str]) -> EngineModules:
    return load_all(choice, limit_seconds=LIMIT_SECONDS, commands=commands)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The last word of each process that is started."""
    noted: list[str] = []

    def noting(argv: list[str], **how: object) -> object:
        noted.append(argv[-1])
        return run(argv, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(engine_modules, "run", noting)
    return noted


@pytest.mark.parametrize(
    "words", [["config", "--help"], ["schema", "check", "--json"], ["config", "no-such"]]
)
def test_it_answers_as_an_interpreter_of_its_own_would(words: list[str], tmp_path: Path) -> None:
    installed = EngineChoice("installed", None, "a test")
    engine_modules._loaded.clear()
    (answer,) = load_all(installed, limit_seconds=LIMIT_SECONDS, commands=[words], cwd=tmp_path).answers
    alone = run(engine_argv(words), limit_seconds=LIMIT_SECONDS, env=installed.environment(), cwd=tmp_path)
    assert (answer.exit_code, answer.narration) == (alone.exit_code, alone.narration)
    assert ELAPSED.sub("", answer.text) == ELAPSED.sub("", alone.text)
    assert answer.stdout or answer.stderr


def test_each_command_has_its_own_words_output_and_exit_code(own: EngineChoice) -> None:
    first, second = looked(own, ["3", "a"], ["0"]).answers
    assert (first.exit_code, first.text, first.narration) == (3, "heard ['3', 'a']\n", "and said\n")
    assert (second.exit_code, second.text, second.narration) == (0, "heard ['0']\n", "and said\n")


@pytest.mark.parametrize(
    ("program", "exit_code", "last_words"),
    [
        ("import os; os.kill(os.getpid(), 9)", -9, ""),
        ("raise SystemExit('no such thing')", 1, "no such thing"),
        ("raise ValueError('a bug')", 1, "ValueError: a bug"),
        ("", 0, ""),
    ],
)
def test_any_end_of_a_command_is_told(
    own: EngineChoice, tmp_path: Path, program: str, exit_code: int, last_words: str
) -> None:
    (tmp_path / "pipeline/__main__.py").write_text(program)
    (answer,) = looked(own, ["run"]).answers
    assert (answer.exit_code, answer.last_words) == (exit_code, last_words)


def test_where_a_module_does_not_load_no_command_is_answered(own: EngineChoice, tmp_path: Path) -> None:
    (tmp_path / "pipeline/stage.py").write_text("LIMIT = NO_SUCH_NAME\n")
    found = looked(own, ["0"])
    assert found.answers == ()
    assert found.told_from(tmp_path).startswith("pipeline/stage.py:1: NameError")


def test_what_loaded_is_not_asked_again_until_a_byte_of_it_changes(
    own: EngineChoice, tmp_path: Path, starts: list[str]
) -> None:
    first = looked(own, ["0"])
    again = looked(own, ["0"])
    assert (again.modules, again.broken, again.answers) == (first.modules, (), ())
    assert len(starts) == 1
    (tmp_path / "pipeline/stage.py").write_text("LIMIT = no\n")
    assert looked(own).broken[0].error.startswith("NameError")
    assert len(starts) == 2


def test_what_does_not_load_is_asked_each_time(own: EngineChoice, tmp_path: Path, starts: list[str]) -> None:
    (tmp_path / "pipeline/stage.py").write_text("LIMIT = no\n")
    assert looked(own).broken
    assert looked(own).broken
    assert len(starts) == 2


def test_another_environment_is_another_question(
    own: EngineChoice, starts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(own)
    monkeypatch.setitem(os.environ, "DISTILL_ANYTHING", "1")
    looked(own)
    assert len(starts) == 2
