"""The drawing of the rooms in ``docs/architecture.md`` against every import, and no circles."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.fresh_interpreter import REPOSITORY
from tests.architecture.imports import Graph, circles, import_graph

PAGE = (REPOSITORY / "docs/architecture.md").read_text(encoding="utf-8")
BLOCKS = {
    "console": "console",
    "runbook": "runbook",
    "engine": "pipeline",
    "firewall": "pipeline",
    "shared": "pipeline",
}
# Which blocks a room may reach beside its own.
REACHES = {
    "console": {"runbook", "shared"},
    "runbook": {"shared"},
    "engine": {"shared"},
    "firewall": {"shared"},
    "shared": set[str](),
}
MECHANISMS = {
    "asking the firewall",
    "detecting a symptom",
    "disk",
    "lock",
    "identity",
    "git",
    "process",
    "voice",
    "command line",
    "driver of a wizard",
    "tell",
    "arming and consent",
    "dashboard text",
    "cell widths",
}


@dataclass(frozen=True)
class Room:
    """``line`` counts from the top of the drawing."""

    block: str
    line: int


@cache
def real_graph() -> Graph:
    return import_graph(REPOSITORY)


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rooms_of(drawing: str) -> dict[str, Room]:
    """By the beginning of their modules' names. The first cell names a block, the second its rooms."""
    rooms: dict[str, Room] = {}
    block = ""
    for number, text in enumerate(drawing.splitlines()):
        if text.startswith("│"):
            _, first, names, *_ = (cell.strip() for cell in text.split("│"))
            block = first or block
            for name in names.split():
                room = f"{BLOCKS[block]}.{name}"
                assert room not in rooms, f"{room} is drawn twice"
                rooms[room] = Room(block, number)
    return rooms


def room_of(module: str, rooms: Mapping[str, Room]) -> str | None:
    """The longest name that fits; None for a module that stands in no room."""
    found = [name for name in rooms if f"{module}.".startswith(f"{name}.")]
    return max(found, key=len, default=None)


def wrong_imports(graph: Graph, rooms: Mapping[str, Room]) -> list[str]:
    """Imports that go up, sideways, or into a block that is not to be reached; and homeless modules."""
    wrong = []
    for module, imported in sorted(graph.items()):
        if "." not in module:  # the packages themselves hold words alone
            wrong += [f"{module} imports {name}" for name in sorted(imported)]
            continue
        mine = room_of(module, rooms)
        if mine is None:
            wrong.append(f"{module} stands in no room")
            continue
        for name in sorted(imported):
            theirs = room_of(name, rooms)
            if "." not in name or theirs in (None, mine):
                continue
            assert theirs is not None
            here, there = rooms[mine], rooms[theirs]
            is_reached = there.block == here.block or there.block in REACHES[here.block]
            if not is_reached or there.line <= here.line:
                wrong.append(f"{module} imports {name}")
    return wrong


DRAWING = section("The rooms").partition("```text\n")[2].partition("```")[0]


def test_each_room_imports_only_rooms_below_it() -> None:
    rooms = rooms_of(DRAWING)
    assert {room.block for room in rooms.values()} == set(BLOCKS)
    assert wrong_imports(real_graph(), rooms) == []


def test_each_room_that_is_drawn_is_there_and_each_that_is_there_is_drawn() -> None:
    rooms = rooms_of(DRAWING)
    there = {
        f"{package}.{path.stem}"
        for package in ("console", "runbook", "pipeline")
        for path in (REPOSITORY / package).iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or any(path.rglob("*.py"))
    }
    assert {name for name in rooms if name.count(".") == 1} == there
    inner = [name for name in rooms if name.count(".") > 1]
    assert all((REPOSITORY / f"{name.replace('.', '/')}.py").is_file() for name in inner)


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("console.keymap", "console.tui.app"),
        ("console.reading.run_compare", "console.control.jobs"),
        ("console.plain.status", "console.tui.app"),  # sideways
        ("runbook.change.apply", "runbook.wizard.session"),
        ("runbook.probes.workspace", "console.reading.git_facts"),
        ("console.live.feed_of_rows", "pipeline.engine.reduce"),
        ("pipeline.storage.source_lines", "pipeline.streams.records"),
        ("pipeline.settings.rules", "pipeline.streams.paths"),
        ("pipeline.formats.command", "pipeline.commands.context"),
        ("pipeline.engine.commit", "pipeline.firewall.scan"),
        ("pipeline.platform.disk", "pipeline.reading.facts"),
    ],
)
def test_an_import_that_goes_up_is_seen(module: str, imported: str) -> None:
    graph = dict(real_graph())
    graph[module] = graph.get(module, frozenset()) | {imported}
    assert wrong_imports(graph, rooms_of(DRAWING)) == [f"{module} imports {imported}"]


@pytest.mark.parametrize(
    "planted",
    [
        "from runbook.wizard.driver import Driver",
        "def late():\n    from runbook.wizard import driver",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import runbook.wizard.driver",
    ],
)
def test_it_is_seen_in_the_source_however_late(tmp_path: Path, planted: str) -> None:
    for name, text in (("wizard/driver.py", ""), ("probes/evidence.py", planted)):
        (tmp_path / "runbook" / name).parent.mkdir(parents=True)
        (tmp_path / "runbook" / name).write_text(text)
    found = wrong_imports(import_graph(tmp_path), rooms_of(DRAWING))
    assert found == ["runbook.probes.evidence imports runbook.wizard.driver"]


def test_a_wrong_drawing_is_seen() -> None:
    graph = real_graph()
    lines = DRAWING.splitlines()
    (change,) = (number for number, text in enumerate(lines) if " change " in f"{text}│││".split("│")[2])
    swapped = [*lines[:change], lines[change + 1], lines[change], *lines[change + 2 :]]
    assert any(
        "imports runbook.probes." in each for each in wrong_imports(graph, rooms_of("\n".join(swapped)))
    )
    without = lines[:change] + lines[change + 1 :]
    assert "runbook.change.plan stands in no room" in wrong_imports(graph, rooms_of("\n".join(without)))


def mechanisms() -> dict[str, list[str]]:
    """By mechanism, what stands in code spans beside it: modules, and names in them."""
    rows = [
        line.split("|")[1:-1] for line in section("One place for each mechanism").splitlines() if "`" in line
    ]
    return {name.strip(): re.findall(r"`([^`]+)`", f"{module}{calls}") for name, module, calls in rows}


def test_the_table_names_each_mechanism() -> None:
    assert mechanisms().keys() >= MECHANISMS


@pytest.mark.parametrize("mechanism", sorted(mechanisms()))
def test_a_mechanism_stands_where_the_table_says(mechanism: str) -> None:
    spans = mechanisms()[mechanism]
    modules = [REPOSITORY / each for each in spans if "/" in each]
    defined: set[str] = set()
    for path in modules:
        here = {
            node.name
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        assert here & set(spans), f"the table names nothing of {path.name}"
        defined |= here
    called = {each for each in spans if "/" not in each}
    assert called
    assert called <= defined


# No module imports one that imports it, by whatever way


def test_no_imports_go_in_a_circle() -> None:
    graph = import_graph(REPOSITORY)
    assert graph["console.tui.app"] >= {"console.state.derive", "console.tui.screen_registry"}
    assert graph["pipeline.commands.score"]
    assert circles(graph) == []


@pytest.mark.parametrize(
    "back",
    [
        "from pack.a import thing",
        "from pack import a",
        "import pack.a",
        "def late():\n    from pack.a import thing",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pack.a import thing",
    ],
)
def test_a_circle_is_found_however_it_is_closed(tmp_path: Path, back: str) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/__init__.py").write_text("")
    (tmp_path / "pack/a.py").write_text("from pack.b import other\nfrom pack import leaf\n")
    (tmp_path / "pack/b.py").write_text("from pack import c\n")
    (tmp_path / "pack/c.py").write_text(back + "\n")
    (tmp_path / "pack/leaf.py").write_text("")
    assert circles(import_graph(tmp_path, ["pack"])) == [["pack.a", "pack.b", "pack.c"]]
