from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.cli import distill
from console.cli.commands import BY_NAME, COMMANDS
from console.cli.distill import main, sort_arguments
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, SettingsError
from tests.console.workspaces import empty_workspace, workspace_after_a_run, write
from tests.console.written_engine import write_engine

ECHO = "print(json.dumps([arguments, os.environ.get('PYTHONPATH')])); sys.exit(7)"


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real command as a real process, without a terminal."""
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("DISTILL", "SSH", "TMUX"))
    }
    return subprocess.run(
        [sys.executable, "-P", "-m", "console", *arguments],
        cwd=cwd,
        env={**env, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_every_command_with_its_line() -> None:
    text = run("--help").stdout
    for command in COMMANDS:
        assert f"  {command.name} " in text
        assert command.help in text


def test_the_version_is_that_of_the_distribution() -> None:
    done = run("--version")
    assert done.stdout.startswith("distill 0.")
    assert done.returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_completion_script_knows_the_commands(shell: str) -> None:
    done = run("--print-completion", shell)
    assert done.returncode == 0
    assert f"--complete {shell} " in done.stdout
    assert run("completion", shell).stdout == done.stdout


def test_the_workspace_flag_is_found_wherever_it_stands() -> None:
    for words in (["-C", "/w", "score", "--x"], ["score", "--x", "-C", "/w"], ["score", "-C/w", "--x"]):
        asked = sort_arguments(words)
        assert (asked.name, asked.rest, asked.directory) == ("score", ["--x"], "/w")
    asked = sort_arguments(["explain", "--", "-C"])
    assert (asked.rest, asked.directory) == (["--", "-C"], None)


def test_the_workspace_is_named_absolutely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert sort_arguments(["-C", "sub/../w", "score"]).directory == str(tmp_path / "sub/../w")


def test_console_flags_open_the_console() -> None:
    assert sort_arguments(["--operate", "night shift"]).rest == ["--operate", "night shift"]
    assert sort_arguments(["--plain"]).name == "console"
    assert sort_arguments(["--profile=lean"]).rest == ["--profile=lean"]


@pytest.mark.parametrize(
    ("words", "what", "hint"),
    [
        (["stats"], "There is no command stats.", "Did you mean: distill status"),
        (["run_all"], "There is no command run_all.", "Did you mean: distill run-all"),
        (["xyzzy"], "There is no command xyzzy.", "See all of them: distill --help"),
        (["nonsens"], "There is no command nonsens.", "See all of them: distill --help"),
        (["--nonsens"], "There is no flag --nonsens.", "See all of them: distill --help"),
        (["-x"], "There is no flag -x.", "See all of them: distill --help"),
        (["--jsn"], "There is no flag --jsn.", "Did you mean: distill --json"),
        (["--events"], "--events needs a value.", "See all of them: distill --help"),
        (
            ["--print-completion", "fish"],
            "distill completion: argument shell: invalid choice: 'fish' (choose from 'bash', 'zsh', 'tcsh')",
            "distill completion --help",
        ),
    ],
)
def test_a_slip_ends_with_2_and_three_lines(
    words: list[str], what: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"what happened  {what}"
    assert lines[2].startswith(f"do next        {hint}")
    assert len(lines) == 3


def test_a_command_line_is_data_too(capsys: pytest.CaptureFixture[str]) -> None:
    main(["\x1b[31mred"])
    assert "\x1b" not in capsys.readouterr().err


def test_an_engine_command_replaces_the_process(tmp_path: Path) -> None:
    root = write_engine(tmp_path, ECHO)
    done = run("--json", "score", "--what-if", "a=1", "-C", str(root), "--events", "-")
    assert done.returncode == 7
    argv, python_path = json.loads(done.stdout)
    assert argv == ["score", "--json", "-C", str(root), "--what-if", "a=1", "--events", "-"]
    assert [each.name for each in Path(python_path).iterdir()] == ["pipeline"], "and nothing beside it"


def test_the_workspace_is_found_upwards_and_by_its_variable(tmp_path: Path) -> None:
    root = write_engine(tmp_path / "w", ECHO)
    (root / "data").mkdir()
    for done in (run("score", cwd=root / "data"), run("score", DISTILL_WORKSPACE=str(root))):
        assert json.loads(done.stdout)[0] == ["score", "-C", str(root)]


def test_a_foreign_python_path_does_not_choose_the_engine(tmp_path: Path) -> None:
    root = write_engine(tmp_path / "w", ECHO)
    evil = write_engine(tmp_path / "evil", "print('evil'); sys.exit(9)")
    assert run("score", "-C", str(root), PYTHONHOME="", PYTHONSTARTUP=str(evil)).returncode == 7


def test_a_pipeline_lying_in_the_current_directory_is_not_picked_up(tmp_path: Path) -> None:
    root = empty_workspace(tmp_path / "w")
    evil = write_engine(tmp_path / "evil", "open('sprung', 'w')")
    (evil / "distill.toml").unlink()
    for module in ("contracts", "firewall"):
        (evil / "pipeline" / module).mkdir()
        (evil / "pipeline" / module / "__init__.py").write_text("open('sprung', 'w')")
    for words in (["status"], ["score", "--help"], ["firewall"], ["doctor"]):
        script = Path(sys.executable).with_name("distill")
        subprocess.run(
            [str(script), "-C", str(root), *words],
            cwd=evil,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        subprocess.run(
            [sys.executable, "-m", "console", "-C", str(root), *words],
            cwd=evil, stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
    assert not (evil / "sprung").exists()


def test_outside_a_workspace_a_command_says_how_to_make_one(tmp_path: Path) -> None:
    for words in (["score"], ["status"], ["runs"], [], ["firewall"]):
        done = run(*words, cwd=tmp_path)
        assert done.returncode == 2
        assert "distill init" in done.stderr
        assert done.stdout == ""


def test_help_of_a_command_needs_no_workspace(tmp_path: Path) -> None:
    for words in (["score", "--help"], ["status", "--help"], ["--help", "status"], ["firewall", "-h"]):
        done = run(*words, cwd=tmp_path)
        assert done.returncode == 0
        assert done.stdout.startswith("usage: ")


def test_an_engine_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    root = write_engine(tmp_path / "w", ECHO)
    (root / "pipeline").rename(tmp_path / "p")
    (root / "pipeline").symlink_to(tmp_path / "p")
    done = run("score", "-C", str(root))
    assert done.returncode == 2
    assert done.stdout == ""


def test_without_a_terminal_plain_distill_prints_the_status(tmp_path: Path) -> None:
    root = empty_workspace(tmp_path)
    plain, status = run("-C", str(root)), run("status", "-C", str(root))
    assert plain.returncode == status.returncode == 0
    assert plain.stdout.splitlines()[1:] == status.stdout.splitlines()[1:]
    assert "\x1b" not in plain.stdout + plain.stderr


def test_status_as_data_names_its_version_and_code(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    for words in (["status", "--json"], ["--json", "status"], ["--json"]):
        done = (
            run(*words, "-C", str(root), "--firewall-seconds=0")
            if "status" in words
            else run(*words, "-C", str(root))
        )
        data = json.loads(done.stdout)
        assert data["status_version"] == 1
        assert data["exit_code"] == done.returncode
        assert data["name"] == "night"


def test_a_breach_that_the_firewall_finds_ends_the_status_with_10(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    write(root, paths.SFT_EXPORT, '{"id": "x", "quality_score": "rejected", "source_run_id": "r"}\n')
    done = run("status", "-C", str(root), "--firewall-seconds", "50")
    assert done.returncode == 10
    assert "X BREACH" in done.stdout
    assert "S1.P4.sft-leak" in done.stdout
    assert run("status", "-C", str(root), "--firewall-seconds", "0").returncode == 1


def test_settings_that_cannot_be_read_are_told_in_three_lines_with_their_line(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    before = (root / "distill.toml").read_text()
    (root / "distill.toml").write_text(before + "\n[scoring\n")
    line = before.count("\n") + 2
    first = run("status", "-C", str(root)).stdout.splitlines()[:6]
    assert f"what happened  distill.toml:{line} is not valid TOML: Expected ']'" in "\n".join(first)
    assert "kept safe      Nothing was changed; what stands here is by the defaults." in first
    assert "do next        Repair distill.toml, then: distill config show" in first
    whole = " ".join(run("status", "-C", str(root)).stdout.split())
    assert "TOMLDecodeError" not in whole


def test_a_firewall_that_is_too_slow_is_unknown_and_what_was_known_stands_beside_it(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    hangs = tmp_path / "hangs"
    hangs.write_text("#!/bin/sh\nexec sleep 600\n")
    hangs.chmod(0o755)
    done = run("status", "-C", str(root), "--firewall-seconds", "0.1", DISTILL_INSTALLED_PYTHON=str(hangs))
    words = " ".join(done.stdout.split())
    assert "? UNKNOWN the firewall gave no answer: no end within 0.1 s" in words
    assert "last known: CLEAR when it was exported" in words
    assert "FIREWALL not read" in words, "an answer that did not come has no age"
    assert done.returncode == 5
    assert "~ STALE" in run("status", "-C", str(root), "--firewall-seconds", "0").stdout, "nobody was asked"


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    write(root, paths.events_file("20260427T070000Z-bbbb"), "")
    lines = run("runs", "-C", str(root)).stdout.splitlines()
    assert lines[1].startswith("20260427T070000Z-bbbb")
    assert "ended before its commit" in lines[1]
    assert lines[2].endswith("9f31c2d79f31c2d7")
    data = json.loads(run("runs", "-C", str(root), "--json", "--limit", "1").stdout)
    assert [row["pipeline_run_id"] for row in data["runs"]] == ["20260427T070000Z-bbbb"]


def test_a_bug_is_three_lines_and_exit_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> int:
        raise RuntimeError("boom \x1b[31m")

    monkeypatch.setattr(distill, "_dispatch", broken)
    assert main(["status"]) == 3
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "RuntimeError: boom \\x1b[31m" in lines[0]


def _wrapped() -> None:
    try:
        raise OSError(errno.EMFILE, "Too many open files", "/w/reports")
    except OSError as error:
        raise ValueError("no report") from error


def _no_memory() -> None:
    raise MemoryError


@pytest.mark.parametrize("starve", [_no_memory, _wrapped])
def test_who_is_starved_has_no_bug(
    starve: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(distill, "_dispatch", lambda _: starve())
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    assert main(["status"]) == ExitCode.NOT_EVALUABLE
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "The machine refused the console: " in lines[0]


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(distill, "_dispatch", interrupted)
    assert main(["status"]) == 130


def test_sorting_never_reads_past_a_double_dash() -> None:
    with pytest.raises(SettingsError):
        sort_arguments(["-C"])
    assert sort_arguments(["score", "--", "--json", "-C", "x"]).rest == ["--", "--json", "-C", "x"]


@pytest.mark.parametrize("name", ["console", "status", "watch", "runbook"])
def test_what_looks_says_that_it_may_not_have_seen(name: str) -> None:
    assert ExitCode.NOT_EVALUATED in BY_NAME[name].exits
