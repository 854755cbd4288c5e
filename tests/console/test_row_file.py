"""Pages of a file by offset agree with reading it whole, whatever its lines look like."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.reading import row_file
from console.reading.row_file import LineIndex, RawRow, RowFile, needles_for

LINES = st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")), max_size=40)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that every border is met within a few lines."""
    monkeypatch.setattr(row_file, "BLOCK_BYTES", 16)
    monkeypatch.setattr(row_file, "SCAN_BYTES", 7)
    monkeypatch.setattr(row_file, "HEAD_BYTES", 8)
    monkeypatch.setattr(row_file, "STEP_BYTES", 16)


def texts(rows: list[RawRow]) -> list[bytes]:
    return [row.head for row in rows]


def opened(folder: Path, data: bytes) -> RowFile:
    path = folder / "rows.jsonl"
    path.write_bytes(data)
    return RowFile(path)


@given(lines=LINES, torn=st.booleans(), count=st.integers(1, 12))
def test_pages_down_and_up_give_every_line_once(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], torn: bool, count: int
) -> None:
    data = b"".join(line + b"\n" for line in lines)
    expected = list(lines)
    if torn and lines and lines[-1]:
        data = data[:-1]
    file = opened(tmp_path_factory.mktemp("w"), data)
    down: list[RawRow] = []
    while page := file.after(down[-1].end if down else 0, count):
        down += page
    up: list[RawRow] = []
    while page := file.before(up[0].offset if up else file.size, count):
        up = page + up
        if page[0].offset == 0:
            break
    file.close()
    assert texts(down) == [line[:8] for line in expected]
    assert [row.length for row in down] == [len(line) for line in expected]
    assert up == down


@given(lines=LINES)
def test_line_numbers_and_offsets_are_each_others_inverse(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    file = opened(tmp_path_factory.mktemp("w"), b"".join(line + b"\n" for line in lines))
    index = LineIndex(file)
    index.extend(Event())
    rows = file.after(0, 100)
    assert index.lines == len(rows)
    assert [index.line_of(row.offset) for row in rows] == list(range(1, len(rows) + 1))
    assert [index.offset_of(line) for line in range(1, len(rows) + 1)] == [row.offset for row in rows]
    assert index.offset_of(len(rows) + 1) is None
    file.close()


def test_what_is_not_counted_yet_has_no_number(tmp_path: Path) -> None:
    file = opened(tmp_path, b"0123456789\n" * 9)
    index = LineIndex(file)
    stopped = Event()
    stopped.set()
    index.extend(stopped)
    assert (index.lines, index.line_of(0), index.line_of(33)) == (None, 1, None)


def test_a_file_that_grows_is_counted_on(tmp_path: Path) -> None:
    file = opened(tmp_path, b"a\nb\nc")
    index = LineIndex(file)
    index.extend(Event())
    assert index.lines == 3
    with file.path.open("ab") as more:
        more.write(b"d\n" + b"e\n" * 20)
    assert file.refresh()
    index.extend(Event())
    assert index.lines == 23
    assert texts(file.last(2)) == [b"e", b"e"]


def test_a_torn_last_row_says_so(tmp_path: Path) -> None:
    file = opened(tmp_path, b'{"a":1}\n{"b":')
    first, torn = file.after(0, 5)
    assert (first.torn, torn.torn, torn.head) == (False, True, b'{"b":')
    assert file.last(1) == [torn]


def test_a_row_without_an_end_comes_in_pieces_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_file, "LONGEST_ROW_BYTES", 100)
    file = opened(tmp_path, b"x" * 950 + b"\nlast\n")
    rows = file.after(0, 50)
    assert len(rows) == 11
    assert rows[-1].head == b"last"
    assert max(row.length for row in rows) == 100


def test_the_row_of_a_byte_is_found(tmp_path: Path) -> None:
    file = opened(tmp_path, b"first\n" + b"s" * 50 + b"\nthird\n")
    row = file.row_at(30)
    assert row is not None
    assert (row.offset, row.length) == (6, 50)
    assert file.row_at(10_000) is None


def test_a_text_is_found_across_block_borders(tmp_path: Path) -> None:
    file = opened(tmp_path, b"......needle......\n" * 3)
    heard: list[int] = []
    found = []
    at = 0
    while (place := file.find((b"needle",), at, Event(), heard.append)) is not None:
        found.append(place)
        at = place + 1
    assert found == [6, 25, 44]
    assert heard == sorted(heard)


def test_a_search_can_be_stopped(tmp_path: Path) -> None:
    file = opened(tmp_path, b"." * 5_000 + b"needle")
    stop = Event()
    heard: list[int] = []

    def told(at: int) -> None:
        heard.append(at)
        stop.set()

    assert file.find((b"needle",), 0, stop, told) is None
    assert len(heard) == 1


@pytest.mark.parametrize(
    "stored", ['{"a": "grün \\"x\\""}', '{"a": "gr\\u00fcn \\"x\\""}'], ids=["plain", "escaped"]
)
def test_a_text_is_found_however_json_writes_it(tmp_path: Path, stored: str) -> None:
    file = opened(tmp_path, stored.encode())
    assert file.find(needles_for('grün "x"'), 0, Event(), lambda _: None) is not None


def test_a_replaced_file_is_still_read_and_told(tmp_path: Path) -> None:
    file = opened(tmp_path, b"old\n")
    (tmp_path / "new").write_bytes(b"new\n")
    assert not file.is_replaced
    (tmp_path / "new").rename(file.path)
    assert file.is_replaced
    assert texts(file.after(0, 1)) == [b"old"]


def test_a_fifo_is_refused_and_blocks_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ValueError, match="regular"):
        RowFile(tmp_path / "fifo")
