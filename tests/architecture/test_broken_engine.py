"""The console is what an operator opens when the engine is broken, so it may not need it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.platform.engine_choice import trust_what_we_made
from tests.architecture.fresh_interpreter import REPOSITORY, run_python
from tests.console.workspaces import empty_workspace, workspace_after_a_run

SHARED = ("contracts", "platform", "reading")
BROKEN = "raise RuntimeError('this module is broken')\n"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages, to be broken without harm."""
    place = tmp_path_factory.mktemp("packages")
    for package in ("console", "runbook", "pipeline"):
        shutil.copytree(REPOSITORY / package, place / package, ignore=shutil.ignore_patterns("__pycache__"))
    return place


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without an SFT file, so that no firewall is started: its modules are among the broken ones."""
    return empty_workspace(tmp_path_factory.mktemp("workspace"))


def engine_modules(place: Path) -> list[Path]:
    """Every module that may break: all of the engine but its empty ``__init__`` and the shared rooms."""
    package = place / "pipeline"
    return [
        path
        for path in sorted(package.rglob("*.py"))
        if path != package / "__init__.py" and path.relative_to(package).parts[0] not in SHARED
    ]


WAYS_IN = """
import contextlib, io

def ways_in(root):
    "The exit codes of distill --help, distill, distill status and distill runs, and what they said."
    from console.cli.distill import main
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        codes = [int(main(words)) for words in (
            ["--help"], ["-C", root], ["-C", root, "status"], ["-C", root, "runs"])]
    assert "P9 release" in out.getvalue() and "run-all" in out.getvalue()
    return codes
"""


def test_the_copy_is_what_runs(copy: Path) -> None:
    code = "import console, pipeline; print(console.__file__, pipeline.__file__)"
    done = run_python("-c", code, python_path=copy)
    assert done.stdout.split() == [str(copy / "console/__init__.py"), str(copy / "pipeline/__init__.py")]


def test_the_ways_in_load_nothing_of_the_engine(copy: Path, workspace: Path) -> None:
    """So that no one module of it can be what they need, whichever is broken."""
    loaded = "[name for name in sys.modules if name.startswith('pipeline.')]"
    code = f"{WAYS_IN}\nimport sys\nprint(ways_in(sys.argv[1]), *{loaded})"
    codes, *names = run_python("-c", code, str(workspace), python_path=copy).stdout.split(" pipeline.")
    assert codes.strip() == "[0, 0, 0, 0]"
    assert names
    assert {name.split(".")[0].strip() for name in names} <= set(SHARED)


def test_the_console_and_its_screens_start_with_the_whole_engine_broken(copy: Path, workspace: Path) -> None:
    before = {module: module.read_text() for module in engine_modules(copy)}
    for module in before:
        module.write_text(BROKEN)
    try:
        screens = (
            "\nimport console.tui.opening, console.live.engine_process, console.live.firewall_watch, sys\n"
        )
        code = WAYS_IN + screens + "print(ways_in(sys.argv[1]))"
        done = run_python("-c", code, str(workspace), python_path=copy)
        assert done.stdout.strip() == "[0, 0, 0, 0]", done.stderr
    finally:
        for module, text in before.items():
            module.write_text(text)


def test_the_doctor_names_the_first_file_that_does_not_load(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    shutil.copytree(REPOSITORY / "pipeline", root / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    with (root / "distill.toml").open("a") as file:
        file.write('\n[engine]\nsource = "workspace"\n')
    healthy = run_python("-m", "console", "doctor", "-C", str(root))
    assert "X engine" not in healthy.stdout
    assert healthy.returncode == 0
    (root / "pipeline/schemas/sft.py").write_text("x = 1\n\nimport no_such_module\n")
    trust_what_we_made(root)
    done = run_python("-m", "console", "doctor", "-C", str(root))
    assert done.returncode == 1
    line = next(line for line in done.stdout.splitlines() if line.startswith("X engine"))
    assert f"{root}/pipeline/schemas/sft.py:3" in line
    assert "No module named 'no_such_module'" in line
