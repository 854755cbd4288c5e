"""The fixture is pinned, carries the hostile lines, and says what must come of each line."""

from __future__ import annotations

import gzip
import json
import shutil
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from pipeline.acceptance.fixture import FOLDER, LATER, PINNED, SOURCES, Fixture
from pipeline.acceptance.input import stream_of
from pipeline.contracts import paths
from pipeline.contracts.faults import IntegrityError

HOSTILE = Path(__file__).parents[3] / "fixtures" / "hostile"


def test_the_committed_files_are_the_pinned_ones() -> None:
    assert Fixture().edited_files() == []
    assert set(PINNED) == {*SOURCES, LATER, "distill.toml", "expected.json"}


def test_an_edited_a_missing_and_an_added_file_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "fixture"
    shutil.copytree(FOLDER, folder)
    expected = folder / "expected.json"
    expected.write_bytes(expected.read_bytes().replace(b'"accepted": 9', b'"accepted": 8'))
    (folder / "chats.jsonl").unlink()
    (folder / "more.jsonl").touch()
    edited = Fixture(folder)
    assert edited.edited_files() == ["chats.jsonl", "expected.json", "more.jsonl"]
    assert edited.sha256 != Fixture().sha256


def test_a_damaged_fixture_is_content_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "expected.json").write_text("{")
    with pytest.raises(IntegrityError, match=r"damaged: expected\.json"):
        _ = Fixture(tmp_path).expected
    with pytest.raises(IntegrityError, match=r"damaged: distill\.toml: No such file"):
        Fixture(tmp_path).install(tmp_path / "w")


def test_the_hostile_lines_are_those_of_fixtures_hostile() -> None:
    for name in ("hostile_lines.jsonl", "hostile_torn.jsonl"):
        assert (FOLDER / name).read_bytes() == (HOSTILE / name).read_bytes()
    assert Fixture().expected["hostile"] == json.loads((HOSTILE / "expected.json").read_bytes())
    (here,) = [stream for stream in tomllib.loads((FOLDER / "distill.toml").read_text())["stream"]
               if stream["name"] == "hostile"]  # fmt: skip
    (there,) = tomllib.loads((HOSTILE / "distill.toml").read_text())["stream"]
    assert here == there


def test_it_is_installed_with_one_compressed_file_and_one_hostile_name(tmp_path: Path) -> None:
    Fixture().install(tmp_path / "w", changed={LATER: b"{}\n"})
    folder = tmp_path / "w" / paths.KNOWLEDGE_BASE
    found = {path.name for path in folder.iterdir()}
    assert found == {*SOURCES.values(), LATER}
    assert any("\x1b" in name and "\u202e" in name for name in found)
    packed = (folder / SOURCES["attempts_2.jsonl"]).read_bytes()
    assert gzip.decompress(packed) == (FOLDER / "attempts_2.jsonl").read_bytes()
    assert (folder / LATER).read_bytes() == b"{}\n"
    assert (tmp_path / "w" / paths.SETTINGS).read_bytes() == (FOLDER / "distill.toml").read_bytes()


def test_every_stream_of_the_settings_has_lines_that_are_counted() -> None:
    fixture = Fixture()
    streams = {stream["name"] for stream in tomllib.loads(fixture.settings().decode())["stream"]}
    assert streams == set(fixture.expected["lines"]) == {stream_of(name) for name in SOURCES.values()}


def test_every_hostile_outcome_is_told_once() -> None:
    outcomes = Fixture().hostile_outcomes()
    assert max(Counter((file, line) for file, line, _, _ in outcomes).values()) == 1
    assert len(outcomes) == Fixture().expected["lines"]["hostile"]
