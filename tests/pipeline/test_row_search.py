"""Rows are found with their exact place, however the file is cut into blocks."""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import row_search
from pipeline.contracts.faults import InputError
from pipeline.row_search import find_by, row_at

FILE = PurePosixPath("rows.jsonl")


@pytest.fixture(params=[1, 7, 64, 4 * 2**20])
def block_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(row_search, "_BLOCK_BYTES", request.param)
    return int(request.param)


def places(folder: Path, name: str, value: str) -> list[tuple[int, int, int]]:
    return [(found.line, found.byte_offset, found.length) for found in find_by(folder, FILE, name, value)]


def test_each_row_is_found_at_its_line_and_offset(tmp_path: Path, block_bytes: int) -> None:
    written = [b'{"id":"a"}', b"", b'{"id": "b", "text": "\xc3\xa9"}', b'not json "b"', b'{"id":"b"}']
    (tmp_path / FILE).write_bytes(b"\n".join(written))
    assert places(tmp_path, "id", "a") == [(1, 0, 10)]
    assert places(tmp_path, "id", "b") == [(3, 12, len(written[2])), (5, 12 + len(written[2]) + 1 + 13, 10)]
    assert places(tmp_path, "id", "c") == []
    found = row_at(tmp_path, FILE, 5)
    assert found is not None
    assert (found.row, found.place) == ({"id": "b"}, "rows.jsonl:5")
    assert [row_at(tmp_path, FILE, line) for line in (0, 2, 4, 6)] == [None] * 4


def test_a_value_inside_a_text_is_not_the_member(tmp_path: Path, block_bytes: int) -> None:
    rows = [{"text": '"run_id":"x"', "run_id": "y"}, {"other": "x"}, {"run_id": "x"}]
    (tmp_path / FILE).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [line for line, _, _ in places(tmp_path, "run_id", "x")] == [3]


def test_a_file_that_is_not_there_has_no_rows(tmp_path: Path) -> None:
    assert places(tmp_path, "id", "a") == []
    assert row_at(tmp_path, FILE, 1) is None


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(InputError, match=r"rows\.jsonl cannot be read"):
        places(tmp_path, "id", "a")


def test_a_pipe_in_place_of_a_file_is_a_fault_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE)
    with pytest.raises(InputError, match="it is no plain file"):
        places(tmp_path, "id", "a")


@given(
    ids=st.lists(st.text(st.characters(codec="utf-8"), max_size=6), min_size=1, max_size=12),
    pick=st.integers(0, 11),
    ends=st.booleans(),
)
def test_every_row_is_found_whatever_its_texts(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], pick: int, ends: bool
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    written = [json.dumps({"id": identity}, ensure_ascii=False).encode() for identity in ids]
    (folder / FILE).write_bytes(b"\n".join(written) + (b"\n" if ends else b""))
    wanted = ids[pick % len(ids)]
    expected = [number for number, identity in enumerate(ids, start=1) if identity == wanted]
    assert [found.line for found in find_by(folder, FILE, "id", wanted)] == expected
    for number, identity in enumerate(ids, start=1):
        found = row_at(folder, FILE, number)
        assert found is not None
        assert found.row == {"id": identity}
