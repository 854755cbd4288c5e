"""The fixture is pinned, and the gate's own reader agrees with the engine, of which it uses nothing."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.acceptance.fixture import FOLDER, LATER, PINNED, SOURCES, Fixture
from pipeline.acceptance.input import stream_of
from pipeline.acceptance.written import Written, answers, normal, rows_digest, source_lines
from pipeline.contracts import paths
from pipeline.contracts.faults import IntegrityError
from pipeline.stages.same_text import strict
from pipeline.storage.digests import measured
from pipeline.storage.source_lines import iter_lines

# It carries the hostile lines, and says what must come of each line

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


# The reader

PIECES = st.sampled_from([b"{}", b"\n", b"\r\n", b"\r", b"\x00", b"", b" ", b"\xef\xbb\xbf", b'{"a": 1}'])


@given(st.lists(PIECES).map(b"".join))
def test_lines_and_offsets_are_those_of_the_engine(data: bytes) -> None:
    theirs = [
        (line.line, line.byte_offset, line.raw)
        for line in iter_lines(data, 0, 1, at_end_of_file=True)
        if not line.torn
    ]
    assert [line for line in source_lines(data) if line[1] + len(line[2]) < len(data)][
        : len(theirs)
    ] == theirs
    assert sum(1 for _ in source_lines(data)) == sum(1 for _ in iter_lines(data, 0, 1, at_end_of_file=True))


@given(st.text())
def test_texts_that_it_takes_for_one_are_one_for_the_engine(text: str) -> None:
    assert strict(normal(text)).text == strict(text).text


def test_the_digest_of_rows_leaves_out_when_they_were_recorded(tmp_path: Path) -> None:
    data = b'{"a":1,"recorded_at":"2026-01-01T00:00:00Z"}\n{"a":2,"recorded_at":"2026-01-01T00:00:00Z"}\n'
    path = tmp_path / "rows.jsonl"
    path.write_bytes(data)
    assert rows_digest(data) == measured(path)["rows_digest"]
    assert rows_digest(data) == rows_digest(data.replace(b"2026", b"2027"))
    assert rows_digest(data) != rows_digest(data.replace(b":2,", b":3,"))
    assert rows_digest(b"") == hashlib.sha256().hexdigest()


def test_an_answer_is_what_the_assistant_said_and_called() -> None:
    calls = [{"name": "look", "arguments": "{}", "id": "1"}]
    turns = [
        {"role": "user", "content": "Look.", "tool_calls": None},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "content": "up", "tool_calls": None},
        {"role": "assistant", "content": "It  is\nup.", "tool_calls": None},
    ]
    assert answers({"messages": turns, "response": "x"}) == [("", (("look", "{}"),)), ("It  is\nup.", ())]
    assert answers({"messages": None, "response": "\nfine \r\n"}) == [("fine", ())]


def test_an_output_that_cannot_be_read_is_content_that_is_wrong(tmp_path: Path) -> None:
    for text in ("{broken\n", "[]\n", None):
        path = tmp_path / "rows.jsonl"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        with pytest.raises(IntegrityError, match=r"rows\.jsonl cannot be read"):
            Written(tmp_path).rows("rows.jsonl")


def test_a_workspace_without_a_committed_run_has_no_summary(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="no run committed"):
        _ = Written(tmp_path).summary
