"""A CI machine has no terminal: what runs there must need none of what draws on one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.architecture.fresh_interpreter import run_python
from tests.architecture.test_import_hygiene import ENGINE, SCREENS
from tests.console.batch.engine_in_workspace import workspace_with_engine

LOADED = """
import contextlib, io, json, sys
from console.cli.distill import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    code = main(sys.argv[1:])
print(json.dumps([int(code), sorted(sys.modules)]))
"""


def loaded_by(*arguments: str) -> tuple[int, set[str]]:
    done = run_python("-c", LOADED, *arguments)
    assert done.stdout, done.stderr
    code, modules = json.loads(done.stdout)
    return code, set(modules)


def test_a_batch_with_all_its_reports_imports_no_screen_and_no_engine(tmp_path: Path) -> None:
    root = workspace_with_engine(tmp_path / "w")
    code, modules = loaded_by(
        "-C", str(root), "--batch", "--skip", "firewall", "--github", "--report-dir", str(tmp_path / "r")
    )
    assert code == 0
    assert "console.batch.report_folder" in modules
    assert not modules & (SCREENS | ENGINE)


@pytest.mark.parametrize(
    "command", [["watch", "--once"], ["handover"], ["metrics", "--firewall-seconds", "0"]]
)
def test_the_commands_without_a_screen_import_none_and_no_engine(tmp_path: Path, command: list[str]) -> None:
    root = workspace_with_engine(tmp_path / "w")
    code, modules = loaded_by("-C", str(root), *command)
    assert code == 0
    assert not modules & (SCREENS | ENGINE | {"pydantic"})
