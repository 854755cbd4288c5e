"""What a disk, a lock or a process does is done in one place: nobody beside it does it by himself.

Fault injection replaces that place, so a writer beside it would never meet a disk that fails.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

from tests.architecture.fresh_interpreter import REPOSITORY

PACKAGES = ("console", "runbook", "pipeline")
DISK_CALLS = {
    "fsync", "fdatasync", "replace", "rename", "link", "ftruncate", "write_text", "write_bytes", "renameat2",
}  # fmt: skip
OS_ALONE = {"replace", "rename", "link"}  # ``str.replace`` is no rename
# What builds or rehearses a workspace of its own, thrown away when it does not come about; tools that
# write pages into the repository; and a scan's links into a view of its own.
BESIDE = (
    "console/demo/",
    "pipeline/acceptance/",
    "pipeline/determinism/copies.py",
    "pipeline/templates/",
    "runbook/drills/",
    "runbook/symptoms/",  # each symptom's drill.py
    "runbook/tell/pages.py",
    "runbook/change/workspace_copy.py",
)


@cache
def _modules() -> list[tuple[str, ast.Module]]:
    return [
        (name, ast.parse(path.read_bytes()))
        for package in PACKAGES
        for path in sorted((REPOSITORY / package).rglob("*.py"))
        if not (name := path.relative_to(REPOSITORY).as_posix()).startswith("pipeline/platform/")
    ]


def _calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, on = node.func.attr, node.func.value
        if name not in DISK_CALLS or (isinstance(on, ast.Attribute) and on.attr == "operations"):
            continue
        if isinstance(on, ast.Name) and on.id == "files":  # ``runbook.change.files``
            continue
        is_os = isinstance(on, ast.Name) and on.id == "os"
        is_path_rename = name in OS_ALONE and len(node.args) == 1 and not node.keywords
        if is_os or name not in OS_ALONE or (is_path_rename and name != "link"):
            yield node.lineno, name


def test_every_durable_change_goes_through_the_one_hand() -> None:
    found = [
        f"{name}:{line} {call}"
        for name, tree in _modules()
        if not name.startswith(BESIDE)
        for line, call in _calls(tree)
    ]
    assert found == [], "use pipeline.platform.disk or confined"


def test_the_look_finds_a_writer_of_its_own() -> None:
    written = "os.replace(a, b)\npath.rename(b)\npath.write_text('')\nos.fsync(1)\n'a'.replace('a', 'b')\n"
    assert [call for _, call in _calls(ast.parse(written))] == ["replace", "rename", "write_text", "fsync"]


# Files are opened to be read where a named pipe blocks nobody: disk.open_plain, open_to_read, read_plain,
# confined, lenient_json, archives; the firewall has plain_files of its own. Beside them: the system's
# files, those of the package itself, and workspaces that were made to be thrown away.
OPENERS = ("pipeline/firewall/plain_files.py", "pipeline/storage/archives.py")
OF_THE_SYSTEM = ("_BOOT_ID.", "Path(f'/proc/", "Path('/proc/", "os.open(os.devnull")
NO_DATA = (
    "console/demo/",
    "console/report/page.py",  # the page's own template
    "pipeline/acceptance/",
    "pipeline/firewall/kept_look.py",  # its own code
    "pipeline/schemas/golden_rows.py",
    "pipeline/templates/",
    "pipeline/workspace.py",  # likewise
    "runbook/drills/",
)


def _blocking_reads(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Calls that open a path to read it, and wait where a pipe has taken its place."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        text = ast.unparse(node)
        name = text.partition("(")[0] if isinstance(node.func, ast.Name) else ""
        called = node.func.attr if isinstance(node.func, ast.Attribute) else name
        mode = next((each.value for each in node.args if _is_mode(each)), None)
        if called in ("read_text", "read_bytes") and isinstance(node.func, ast.Attribute):
            # ``confined.read_bytes(root, relative)`` has what ``path.read_bytes()`` has not.
            blocks = not node.args or isinstance(node.args[0], ast.Constant)
        elif text.startswith("os.open("):
            blocks = "O_RDONLY" in text and "O_NONBLOCK" not in text and "O_DIRECTORY" not in text
        elif called == "open":
            blocks = mode is not None and "closefd" not in text
        else:
            continue
        if blocks and not text.startswith(OF_THE_SYSTEM):
            yield node.lineno, text


def _is_mode(node: ast.expr) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and node.value in ("r", "rb", "rt")


def test_no_reader_waits_for_the_writer_of_a_pipe() -> None:
    found = [
        f"{name}:{line} {text}"
        for name, tree in _modules()
        if not name.startswith((*OPENERS, *NO_DATA)) and not name.endswith("/drill.py")
        for line, text in _blocking_reads(tree)
    ]
    assert found == [], "use pipeline.platform.disk.open_to_read or read_plain"


def test_the_look_finds_a_reader_that_waits() -> None:
    waits = "p.open('rb')\nopen(p, 'r')\np.read_bytes()\np.read_text('utf-8')\nos.open(p, os.O_RDONLY)\n"
    fine = "disk.open_to_read(p)\nconfined.read_bytes(a, b)\np.open('ab')\nopen(1, 'rb', closefd=False)\n"
    assert len(list(_blocking_reads(ast.parse(waits)))) == len(waits.splitlines())
    assert list(_blocking_reads(ast.parse(fine))) == []


def test_one_module_takes_locks() -> None:
    users = [
        name
        for name, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import) and any(each.name == "fcntl" for each in node.names)
    ]
    # A temp root is marked as in use on its folder, which has no holder to name.
    assert users == ["pipeline/acceptance/temp_root.py"]


def test_one_module_says_who_acts() -> None:
    asked = ("getpass", "gethostname", "SUDO_USER")
    found = [
        f"{name}: {word}"
        for name, _ in _modules()
        for word in asked
        if word in (REPOSITORY / name).read_text(encoding="utf-8")
        and not name.startswith(("pipeline/acceptance/", "runbook/probes/nondeterminism.py"))
    ]
    assert found == [], "use pipeline.platform.identity"


def test_git_is_started_and_gitpython_imported_in_one_place() -> None:
    """Whoever starts git by itself forgets one of the programs that a repository can name."""
    found = []
    for name, tree in _modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = (
                    [each.name for each in node.names] if isinstance(node, ast.Import) else [node.module]
                )
                if any(str(module).split(".")[0] == "git" for module in modules):
                    found.append(f"{name}:{node.lineno} import")
            elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.List):
                first = node.args[0].elts[:1]
                if any(isinstance(each, ast.Constant) and each.value == "git" for each in first):
                    found.append(f"{name}:{node.lineno} start")
    assert found == []


# Processes are started in one place: who else does it has a reason that is written here

HANDS = {
    "pipeline/platform/process.py",
    "pipeline/platform/detached.py",
    "pipeline/platform/async_process.py",
}
EXCEPTIONS = {
    "console/cli/distill.py": "hands the whole process over to the engine: exec, nothing is waited for",
    "console/commands/demo.py": "hands the whole process over to the run: exec, nothing is waited for",
    "pipeline/engine/executors.py": "workers share the engine's memory: a pool of forks that die with it",
    "pipeline/acceptance/jobs.py": "the gate's jobs are forks of the gate that die with it",
    "pipeline/platform/engine_probe.py": "answers in forks, for which the engine is imported once, and waits",
    "pipeline/acceptance/engine_runs.py": "a run in a fork of the gate, where a wall may be taken away",
    "pipeline/platform/prepared_firewall.py": "a firewall that waits for questions, and ends with the block",
    "pipeline/firewall/prepared.py": "each question is a fork of it that is killed with its asker",
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
