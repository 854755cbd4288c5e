"""Processes are started in one place: who else does it has a reason that is written here."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.fresh_interpreter import REPOSITORY

HANDS = {"pipeline/platform/process.py", "pipeline/platform/async_process.py"}
EXCEPTIONS = {
    "console/cli/distill.py": "hands the whole process over to the engine: exec, nothing is waited for",
    "console/commands/demo.py": "hands the whole process over to the run: exec, nothing is waited for",
    "pipeline/engine/executors.py": "workers share the engine's memory: a pool of forks that die with it",
    "pipeline/acceptance/jobs.py": "the gate's jobs are forks of the gate that die with it",
    "pipeline/acceptance/engine_runs.py": "a run in a fork of the gate, where a wall may be taken away",
    "pipeline/templates/workspace/tests/test_workspace_contract.py": "in a workspace, without us",
}
_MODULES = {"subprocess", "multiprocessing", "pty"}
_CALLS = {"fork", "forkpty", "system", "popen", "posix_spawn", "posix_spawnp", "create_subprocess_exec"}
_CALLS |= {"create_subprocess_shell", "subprocess_exec", "subprocess_shell"}
_FAMILIES = ("exec", "spawn")


def starts_of(source: str) -> set[str]:
    """What in a module starts a process, as it is written there."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names if each.name.partition(".")[0] in _MODULES}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in _MODULES:
            found.add(str(node.module))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = node.value.id
            if node.attr in _CALLS and owner in ("os", "asyncio", "loop"):
                found.add(f"{owner}.{node.attr}")
            elif owner == "os" and node.attr.startswith(_FAMILIES):
                found.add(f"os.{node.attr}")
    return found


def test_nobody_else_starts_a_process() -> None:
    found = {
        path.relative_to(REPOSITORY).as_posix()
        for package in ("console", "runbook", "pipeline")
        for path in sorted((REPOSITORY / package).rglob("*.py"))
        if starts_of(path.read_text(encoding="utf-8"))
    }
    assert found - HANDS - EXCEPTIONS.keys() == set(), "use pipeline.platform.process"
    assert (HANDS | EXCEPTIONS.keys()) - found == set(), "they start nothing any more: take them off the list"


def test_every_way_to_start_one_is_seen(tmp_path: Path) -> None:
    for line in (
        "import subprocess",
        "from subprocess import run",
        "import multiprocessing.pool",
        "import os\nos.fork()",
        "import os\nos.execve('a', [], {})",
        "import os\nos.spawnv(0, 'a', [])",
        "import os\nos.system('a')",
        "import asyncio\nasyncio.create_subprocess_exec('a')",
    ):
        assert starts_of(line), line
    assert not starts_of("import os\nos.getpid()")
