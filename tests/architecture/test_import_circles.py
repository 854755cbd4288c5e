"""No module imports one that imports it, by whatever way: not at the top, not late, not for a type."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.fresh_interpreter import REPOSITORY
from tests.architecture.imports import circles, import_graph


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
