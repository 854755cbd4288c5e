from __future__ import annotations

import fcntl
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from console.terminal import doctor
from console.terminal.doctor import Finding, Level, engine_finding, terminal_findings, workspace_findings
from console.terminal.link_profile import choose_profile
from pipeline.contracts import paths
from pipeline.contracts.discovery import EngineChoice
from pipeline.platform import engine_modules
from tests.console.test_link_profile import LOCAL
from tests.console.workspaces import empty_workspace, write
from tests.console.written_engine import write_engine


def by_subject(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


def engine_of(root: Path) -> Finding:
    return engine_finding(EngineChoice("workspace", root, "engine.source"))


def test_a_good_terminal_needs_no_next_step_but_the_choice_of_profile() -> None:
    findings = terminal_findings(LOCAL, choose_profile(LOCAL))
    assert [finding.subject for finding in findings if finding.next_step] == ["profile"]
    assert {finding.level for finding in findings} == {Level.OK}
    assert by_subject(findings)["profile"].found == "rich: a local terminal with 24-bit colour"


def test_each_thing_that_is_amiss_says_what_to_do() -> None:
    facts = replace(LOCAL, columns=60, encoding="latin-1", colours="16", stdout_is_tty=False)
    found = by_subject(terminal_findings(facts, choose_profile(facts)))
    assert found["size"].level is Level.WARN
    assert "LC_ALL=C.UTF-8" in found["text"].next_step
    assert "COLORTERM=truecolor" in found["colour"].next_step
    assert found["terminal"].level is Level.OK
    none = replace(LOCAL, stdin_is_tty=False)
    assert "distill status" in by_subject(terminal_findings(none, choose_profile(none)))["terminal"].next_step


def test_the_installed_engine_loads() -> None:
    found = engine_finding(EngineChoice("installed", None, "no workspace"))
    assert found.level is Level.OK, found
    assert "modules load from" in found.found


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x = 1\nraise ValueError('\\x1b[31mred')", "ValueError: \\x1b[31mred"),
        ("def broken(:\n", "SyntaxError"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("print('noise on stdout')\nimport no_such_module", "No module named 'no_such_module'"),
    ],
)
def test_a_module_that_does_not_load_is_named_with_file_and_error(
    tmp_path: Path, text: str, what: str
) -> None:
    root = write_engine(tmp_path, "")
    (root / "pipeline/stages.py").write_text(text)
    found = engine_of(root)
    assert found.level is Level.BROKEN
    assert "1 module does not load" in found.found
    assert what in found.found
    assert f"{root}/pipeline/stages.py:" in found.found
    assert found.next_step


def test_an_engine_that_kills_its_interpreter_is_told_by_its_exit_code(tmp_path: Path) -> None:
    root = write_engine(tmp_path, "")
    (root / "pipeline/stages.py").write_text("import os; os._exit(9)")
    assert "exit code 9" in engine_of(root).found


def test_an_engine_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_engine(tmp_path, "")
    (root / "pipeline/stages.py").write_text("import time; time.sleep(600)")
    monkeypatch.setattr(doctor, "PROBE_SECONDS", 0.5)
    assert "importing it takes over 0.5 s" in engine_of(root).found


def test_the_engines_main_is_not_run(tmp_path: Path) -> None:
    root = write_engine(tmp_path, "open('sprung', 'w')")
    assert engine_of(root).level is Level.OK


def test_without_a_workspace_the_way_to_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISTILL_WORKSPACE", raising=False)
    found = by_subject(workspace_findings(None))
    assert found["workspace"].level is Level.WARN
    assert "distill init" in found["workspace"].next_step


def test_lock_disk_and_a_refused_engine_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = empty_workspace(tmp_path)
    path = write(root, paths.LOCK, '{"user": "jun", "command": "audit-full", "pid": 7, "host": "h"}')
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert (
            by_subject(workspace_findings(str(root)))["lock"].found == "held by jun on h: audit-full, pid 7"
        )
    write(root, paths.INTENT, "{}")
    write(root, paths.SETTINGS, '[engine]\nsource = "workspace"\n')
    usage = shutil.disk_usage(root)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    found = by_subject(workspace_findings(str(root)))
    assert found["lock"].level is Level.WARN
    assert found["disk"].level is Level.WARN
    assert found["engine"].level is Level.BROKEN


def test_settings_that_the_engine_refuses_are_named_by_their_place(tmp_path: Path) -> None:
    root = empty_workspace(tmp_path)
    write(root, paths.SETTINGS, "[scoring]\naccept_at = 0.75\n")
    engine_modules._loaded.clear()
    assert by_subject(workspace_findings(str(root)))["settings"].level is Level.OK
    write(root, paths.SETTINGS, '[scoring]\naccept_at = "high"\n')
    for _ in range(2):  # a process in which the modules have loaded looks at the settings all the same
        found = by_subject(workspace_findings(str(root)))
        assert found["engine"].level is Level.OK
        assert found["settings"].level is Level.BROKEN
        assert found["settings"].found.startswith("distill.toml:2: scoring.accept_at")
        assert "runbook open ENGINE.wont-start" in found["settings"].next_step
