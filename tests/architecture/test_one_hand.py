"""What a disk or a lock does is done in one place: nobody beside ``pipeline.platform`` does it by itself.

Fault injection replaces that place, so a writer beside it would never meet a disk that fails.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
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


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith("pipeline/platform/"):
                yield name, ast.parse(path.read_bytes())


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
        if word in (ROOT / name).read_text(encoding="utf-8")
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
