"""Who imports what: screens, models and the engine only where they are needed."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture.fresh_interpreter import REPOSITORY, modules_after, run_python
from tests.architecture.imports import Graph, import_graph
from tests.console.batch.engine_in_workspace import workspace_with_engine
from tests.console.workspaces import workspace_after_a_run

SCREENS = {"textual", "rich"}
# What the firewall may import of the hand: its words, reading, the lock of an open commit, and waiting.
# By ``first_act`` a prepared one dies with the gate that asks it.
FIREWALL_NEEDS = {
    "command_line",
    "disk",
    "disk_faults",
    "file_changes",
    "first_act",
    "lock",
    "program",
    "streams",
    "voice",
}
# What these import in their turn. ``lenient_json``, ``git`` and ``firewall`` itself are in neither.
BENEATH_THEM = {"confined", "drawing", "identity", "starvation", "system_calls"}
ENGINE = {
    f"pipeline.{name}"
    for name in (
        "cli",
        "schemas",
        "settings",
        "streams",
        "stages",
        "storage",
        "engine",
        "firewall",
        "commands",
    )
}


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("stats",)])
def test_help_imports_no_model_and_no_screen(arguments: tuple[str, ...]) -> None:
    loaded = modules_after(*arguments)
    assert not loaded & (SCREENS | ENGINE | {"pydantic", "asyncio", "orjson", "git"})


@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["runs"], ["doctor"], []])
def test_plain_commands_import_no_model_no_screen_and_no_engine(tmp_path: Path, command: list[str]) -> None:
    root = workspace_after_a_run(tmp_path)
    loaded = modules_after("-C", str(root), *command)
    assert "console.reading.workspace_reader" in loaded or command in (["runs"], ["doctor"])
    assert not loaded & (SCREENS | ENGINE | {"pydantic", "git"})


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_the_contracts_need_only_themselves_and_pydantic() -> None:
    allowed = {"pydantic", "pydantic_core", "pipeline", "__future__", *sys.stdlib_module_names}
    for path in (REPOSITORY / "pipeline/contracts").glob("*.py"):
        outside = {name for name in _imports(path) if name.split(".")[0] not in allowed}
        engine = {name for name in _imports(path) if name.startswith("pipeline.") and "contracts" not in name}
        assert (outside, engine) == (set(), set()), path.name


def _foreign(nodes: Iterable[ast.AST]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {each.name.split(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found - {"pipeline", "__future__", *sys.stdlib_module_names}


def test_the_hand_needs_only_the_standard_library_until_it_is_asked_for_more() -> None:
    late = set()
    for path in (REPOSITORY / "pipeline/platform").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert _foreign(tree.body) == set(), path.name
        late |= _foreign(ast.walk(tree))
    assert late == {"git", "rich", "watchfiles"}


def _of_the_hand(graph: Graph) -> tuple[set[str], set[str]]:
    """What the firewall imports of ``pipeline.platform``: by itself, and by way of that. Raises on others."""
    ours = {name for name in graph if name.split(".")[:2] == ["pipeline", "firewall"]}
    direct = set().union(*(graph[name] for name in ours)) - ours
    seen: set[str] = set()
    waiting = set(direct)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= graph[name] - seen
    hand = "pipeline.platform."
    others = {name for name in seen if not name.startswith(("pipeline.contracts.", hand))}
    assert others == set(), "the firewall reads for itself"
    short = {name.removeprefix(hand) for name in direct if name.startswith(hand)}
    return short, {name.removeprefix(hand) for name in seen if name.startswith(hand)} - short


def test_the_firewall_imports_of_the_hand_what_is_named_here_and_no_more() -> None:
    graph = import_graph(REPOSITORY)
    assert _of_the_hand(graph) == (FIREWALL_NEEDS, BENEATH_THEM)
    who_waits = {name for name, found in graph.items() if "pipeline.platform.file_changes" in found}
    assert {name for name in who_waits if name.startswith("pipeline.firewall")} == {"pipeline.firewall.watch"}


@pytest.mark.parametrize(
    "planted", ["platform.lenient_json", "platform.git", "reading.facts", "storage.source_lines"]
)
def test_what_else_the_firewall_would_import_is_seen(planted: str) -> None:
    graph = dict(import_graph(REPOSITORY))
    graph["pipeline.firewall.scan"] |= {f"pipeline.{planted}"}
    if planted.startswith("platform"):
        assert _of_the_hand(graph) != (FIREWALL_NEEDS, BENEATH_THEM)
    else:
        with pytest.raises(AssertionError, match="reads for itself"):
            _of_the_hand(graph)


@pytest.mark.parametrize(
    "name",
    [
        "state/view_state",
        "state/derive",
        "state/fact_fold",
        "state/event_fold",
        "state/symptoms_now",
        "plain/status",
        "terminal/link_profile",
    ],
)
def test_the_pure_core_touches_neither_clock_nor_disk_nor_process(name: str) -> None:
    impure = {
        "time",
        "os",
        "subprocess",
        "pathlib",
        "datetime",
        "random",
        "asyncio",
        "socket",
        "io",
        "shutil",
    }
    assert not {module.split(".")[0] for module in _imports(REPOSITORY / f"console/{name}.py")} & impure


# A CI machine has no terminal: what runs there must need none of what draws on one

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
