"""Completion, as bash really does it: the script is sourced, and its function asked."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from console.cli import distill
from console.cli.commands import BATCH, COMMANDS
from console.cli.completion import SCRIPTS, answer, candidates
from pipeline.contracts import paths
from pipeline.contracts.check_index import INVARIANTS, REQUIRED_CHECKS
from pipeline.contracts.command import Command
from pipeline.contracts.commands import FORMAT_NAMES
from pipeline.formats.registry import FORMATS
from runbook.symptoms import definitions
from tests.console.workspaces import write

BIN = Path(sys.executable).parent
HOSTILE = 'a; touch "$HOME/sprung" $(touch sprung) `touch sprung`'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    names = ["chats", "chat logs", HOSTILE, "red\x1b[31m"]
    streams = "".join(f"[[stream]]\nname = '''{name}'''\n" for name in names if "\x1b" not in name)
    write(tmp_path, paths.SETTINGS, streams + '[[stream]]\nname = "red\\u001b[31m"\n')
    write(tmp_path, paths.evidence_file("chats"), '{"schema_version":1,"run_id":"chats/0123"}\n')
    (tmp_path / paths.INCIDENTS / "20260427T070000Z-s1-p4-sft-leak").mkdir(parents=True)
    return tmp_path


def offered(*words: str) -> list[str]:
    return [each.value for each in candidates(words)]


@pytest.mark.parametrize(
    ("shell", "begins"), [("bash", "complete "), ("zsh", "#compdef "), ("tcsh", "complete ")]
)
def test_the_command_prints_the_script_of_the_shell(
    shell: str, begins: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert distill.main(["completion", shell]) == 0
    said = capsys.readouterr()
    assert any(line.strip().startswith(begins) for line in said.out.splitlines())
    assert (said.out.strip(), said.err) == (SCRIPTS[shell].strip(), "")


@pytest.mark.parametrize("command", [*COMMANDS, BATCH], ids=lambda each: each.name)
def test_every_option_of_every_command_is_offered(command: Command) -> None:
    found = offered(command.name, "-")
    for argument in command.arguments:
        assert argument.is_positional or max(argument.flags, key=len) in found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("runbook", "open", "S1.P4"), ["S1.P4.sft-leak", "S1.P4.self-pair"]),
        (("runbook", "resume", ""), ["20260427T070000Z-s1-p4-sft-leak"]),
        (("incident", "show", "2026"), ["20260427T070000Z-s1-p4-sft-leak"]),
        (("undo", ""), ["20260427T070000Z-s1-p4-sft-leak"]),
        (("drill", "start", "S6"), ["S6.replay-log"]),
        (("streams", "check", "--stream", "ch"), ["chats", "chat logs"]),
        (("explain", "ch"), ["chats/0123"]),
        (("acceptance", "--check", "A0"), list(INVARIANTS[:9])),
        (("audit-full", "--check", "P6"), ["P6.acceptance"]),
        (("--profile", ""), ["rich", "lean", "plain"]),
        (("score", "--json", "--wh"), ["--what-if"]),
        (("export", "--format=chat"), ["--format=chat-jsonl"]),
        (("--batch", "--skip", "a"), ["acceptance", "audit-full"]),
        (("--batch", "--only=fire"), ["--only=firewall"]),
        (("metrics", "--out", "x"), [":files"]),
        (("status", "-C", ""), [":directories"]),
        (("score", "--json", "--js"), []),
        (("sta",), ["status"]),
    ],
)
def test_a_value_is_offered_where_it_belongs(
    words: tuple[str, ...], found: list[str], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    assert offered(*words) == found


def test_the_workspace_that_is_named_is_the_one_that_is_read(root: Path) -> None:
    assert (
        offered("-C", str(root), "explain", "") == offered("explain", "-C", str(root), "") == ["chats/0123"]
    )


def test_symptoms_and_checks_are_all_of_them() -> None:
    assert offered("runbook", "open", "") == [each.id for each in definitions()]
    assert offered("audit-full", "--check", "") == list(REQUIRED_CHECKS)
    assert tuple(FORMATS) == FORMAT_NAMES


def test_a_hostile_name_is_quoted_and_one_that_cannot_be_typed_is_left_out(root: Path) -> None:
    words = ["-C", str(root), "streams", "check", "--stream", ""]
    assert offered(*words) == ["chats", "chat logs", HOSTILE]
    line = answer("bash", words)[2]
    done = subprocess.run(["bash", "-c", f"printf %s {line}"], capture_output=True, text=True, check=True)
    assert done.stdout == HOSTILE


@pytest.mark.parametrize("words", [[], ["nothing", "--x", ""], ["--stream", "="], ["'open", ""]])
def test_a_line_that_makes_no_sense_offers_nothing_and_raises_nothing(words: list[str]) -> None:
    for shell in SCRIPTS:
        answer(shell, words)


def in_bash(root: Path, line: str, directory: Path) -> list[str]:
    """What bash offers at the end of ``line``, each whole; as its own COMPREPLY."""
    words = line.split(" ")
    code = (
        'eval "$(distill completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1));'
        ' _distill distill "${COMP_WORDS[COMP_CWORD]}" x 2>/dev/null; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    env = {**os.environ, "PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(root), "DISTILL_WORKSPACE": str(root)}
    argv = ["bash", "-c", code, "bash", *words]
    done = subprocess.run(argv, env=env, cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_bash_offers_commands_options_values_and_files(root: Path, tmp_path: Path) -> None:
    (tmp_path / "my file.prom").write_text("")
    for line, found in [
        ("distill hando", ["handover", "handoff"]),
        ("distill run-all --wor", ["--workers"]),
        ("distill streams check --stream = cha", ["chats", "chat\\ logs"]),
        ("distill metrics --out my", ["my file.prom"]),
    ]:
        offers = in_bash(root, line, tmp_path)
        assert [each.replace("'", "") for each in offers] == [each.replace("\\", "") for each in found], line


def test_nothing_in_the_data_is_run_by_the_shell(root: Path, tmp_path: Path) -> None:
    assert len(in_bash(root, "distill streams check --stream ", tmp_path)) == 3
    assert not list(tmp_path.rglob("sprung"))


@pytest.mark.slow
def test_a_person_presses_tab(root: Path) -> None:
    """A real bash in a real terminal: TAB turns the beginning into the whole."""
    env = {"PATH": f"{BIN}:/usr/bin:/bin", "TERM": "dumb", "PS1": "$ ", "DISTILL_WORKSPACE": str(root)}
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], env)  # noqa: S606 - no shell between
    said = b""

    def until(text: bytes) -> None:
        nonlocal said
        while text not in said:
            said += os.read(terminal, 4096)

    try:
        os.write(terminal, b'eval "$(distill completion bash)"; echo "rea""dy"\n')
        until(b"ready")
        os.write(terminal, b"distill runbook open S1.P4.sf\t#\n")
        until(b"S1.P4.sft-leak #")
    finally:
        os.write(terminal, b"\x03\x04exit\n")
        os.close(terminal)
        os.waitpid(pid, 0)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_reads_its_script() -> None:
    done = subprocess.run(["zsh", "-n"], input=SCRIPTS["zsh"], text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
