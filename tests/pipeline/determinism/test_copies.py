"""Copies that runs are compared in, and the first difference of what they wrote."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import orjson
import pytest

from pipeline.contracts import paths
from pipeline.determinism.copies import copy_workspace, private_folder
from pipeline.determinism.difference import (
    SHOWN_CHARACTERS,
    differing_fields,
    first_difference,
    outputs_in_order,
)
from pipeline.settings.load import load_settings
from pipeline.streams.files import stream_files

# Copies

SETTINGS = """
[workspace]
name = "one"
{roots}
[[stream]]
name = "logs"
path = "{path}"
[stream.fields]
task_id = "id"
"""


def workspace(root: Path, path: str = "data/_kb/logs*.jsonl", roots: str = "") -> Path:
    root.mkdir(parents=True)
    (root / "distill.toml").write_text(SETTINGS.format(path=path, roots=roots))
    (root / "data/_kb").mkdir(parents=True)
    (root / "data/_kb/logs.jsonl").write_text('{"id": "a"}\n')
    return root


def names(root: Path) -> list[str]:
    settings = load_settings(root).settings
    return [file.relative for stream in settings.streams for file in stream_files(root, settings, stream)]


def test_a_copy_has_the_sources_and_settings_and_nothing_that_was_made(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w")
    (root / "exports").mkdir()
    (root / ".distill").mkdir()
    with private_folder() as folder:
        copy = copy_workspace(root, load_settings(root).settings, folder)
        files = sorted(str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file())
        assert files == ["data/_kb/logs.jsonl", "distill.toml"]
        assert names(copy) == names(root)


def test_an_engine_of_the_workspaces_own_is_copied_with_it(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w")
    (root / "pipeline/__pycache__").mkdir(parents=True)
    (root / "pipeline/__init__.py").write_text("ours = True\n")
    (root / "pipeline/__pycache__/old.pyc").write_bytes(b"old")
    settings = load_settings(root).settings
    own = settings.model_copy(update={"engine": settings.engine.model_copy(update={"source": "workspace"})})
    for chosen, engine in ((settings, []), (own, ["pipeline/__init__.py"])):
        with private_folder() as folder:
            copy = copy_workspace(root, chosen, folder)
            assert [str(each.relative_to(copy)) for each in copy.rglob("pipeline/**/*.py*")] == engine


def test_the_folder_is_private_and_gone_afterwards_even_after_an_error() -> None:
    seen: list[Path] = []

    def fail() -> None:
        with private_folder() as folder:
            seen.append(folder)
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not seen[0].exists()


def test_a_source_root_beside_the_workspace_is_found_from_the_copy(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/x.jsonl").write_text('{"id": "b"}\n')
    root = workspace(tmp_path / "w", path="../logs/*.jsonl", roots='source_roots = ["../logs"]')
    assert names(root) == ["@logs/x.jsonl"]
    with private_folder() as folder:
        copy = copy_workspace(root, load_settings(root).settings, folder)
        assert names(copy) == ["@logs/x.jsonl"]
        assert all(path.is_relative_to(folder) for path in folder.rglob("x.jsonl"))


def test_across_file_systems_files_are_copied_instead_of_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    root = workspace(tmp_path / "w")
    monkeypatch.setattr(os, "link", refuse)
    with private_folder() as folder:
        copy = copy_workspace(root, load_settings(root).settings, folder)
        assert (copy / "data/_kb/logs.jsonl").read_bytes() == (root / "data/_kb/logs.jsonl").read_bytes()
        assert (copy / "data/_kb/logs.jsonl").stat().st_nlink == 1


# The difference

EVIDENCE = paths.evidence_file("one")
OUTPUTS = outputs_in_order(["one"])


def outputs(root: Path, **rows: list[dict[str, object]]) -> tuple[str, Path]:
    """A workspace with evidence, scored and rag rows."""
    places = {"evidence": EVIDENCE, "scored": paths.scored_file("one"), "rag": paths.RAG_EXPORT}
    for name, place in places.items():
        file = root / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows.get(name, [{"run_id": "a"}])))
    return root.name, root


def test_equal_outputs_have_no_difference(tmp_path: Path) -> None:
    assert first_difference(outputs(tmp_path / "a"), outputs(tmp_path / "b"), OUTPUTS) is None


def test_the_first_differing_row_is_named_with_its_fields(tmp_path: Path) -> None:
    first = outputs(tmp_path / "a", scored=[{"id": 1}, {"id": 2, "sub": {"x": 0.5, "y": 1}}])
    second = outputs(tmp_path / "b", scored=[{"id": 1}, {"id": 2, "sub": {"x": 0.25, "y": 1}}])
    found = first_difference(first, second, OUTPUTS)
    assert found is not None
    assert (found.stage, found.file, found.line) == ("score", "data/scored-runs/one.jsonl", 2)
    assert found.fields == ("sub.x",)
    assert (found.first_run, found.second_run) == ("a", "b")
    assert '"x":0.5' in found.first
    assert '"x":0.25' in found.second


def test_the_earliest_stage_is_named_when_several_differ(tmp_path: Path) -> None:
    first = outputs(tmp_path / "a", evidence=[{"t": 1}], scored=[{"t": 1}], rag=[{"t": 1}])
    second = outputs(tmp_path / "b", evidence=[{"t": 2}], scored=[{"t": 2}], rag=[{"t": 2}])
    found = first_difference(first, second, OUTPUTS)
    assert found is not None
    assert found.stage == "materialize"


def test_a_missing_row_and_a_missing_file_are_differences(tmp_path: Path) -> None:
    short = outputs(tmp_path / "a", rag=[{"id": 1}])
    long = outputs(tmp_path / "b", rag=[{"id": 1}, {"id": 2}])
    found = first_difference(short, long, OUTPUTS)
    assert found is not None
    assert (found.line, found.first, found.second) == (2, "no such line", '{"id":2}')
    (short[1] / paths.RAG_EXPORT).unlink()
    found = first_difference(short, long, OUTPUTS)
    assert found is not None
    assert (found.line, found.first, found.second) == (None, "missing", "there")


def test_long_and_hostile_lines_are_cut_and_made_visible(tmp_path: Path) -> None:
    first = outputs(tmp_path / "a", rag=[{"text": "\u202e" + "x" * 5000}])
    found = first_difference(first, outputs(tmp_path / "b"), OUTPUTS)
    assert found is not None
    assert found.first.isprintable()
    assert len(found.first) <= SHOWN_CHARACTERS + len("\\u202e")


@pytest.mark.parametrize(
    ("first", "second", "fields"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, ("b",)),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [2, 1]}}, ("a.b",)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, ("row (order of members)",)),
    ],
)
def test_fields_that_differ_are_named(
    first: dict[str, object], second: dict[str, object], fields: tuple[str, ...]
) -> None:
    assert differing_fields(orjson.dumps(first), orjson.dumps(second)) == fields


def test_a_line_that_is_no_row_names_no_field() -> None:
    assert differing_fields(b'{"a":1}', b'{"a":') == ()
