"""What is whole JSON, where its items lie, and what is never used by halves."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.skips import LineFault
from pipeline.storage import whole_json
from pipeline.storage.archives import Ending
from pipeline.storage.source_lines import SourceLine, parse_line
from pipeline.storage.whole_json import find_items, read_source


def items(data: bytes, *, whole: bool = False) -> list[SourceLine] | None:
    document = find_items(BytesIO(data), whole=whole)
    return None if document is None else list(document.items(BytesIO(data)))


def values(data: bytes) -> list[object]:
    found = items(data)
    assert found is not None
    return [parse_line(item.raw) for item in found]


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b'[{"a":1},{"a":2}]', [(1, 1), (1, 9)]),
        (b'[{"a":1},{"a":2}]\n', [(1, 1), (1, 9)]),
        (b'[\n{"a":1},\n{"a":2}\n]\n', [(2, 2), (3, 11)]),
        (b'\xef\xbb\xbf[\r\n{"a":1}\r\n,{"a":2}]', [(2, 6), (3, 16)]),
        (b'{\n "a": 1\n}\n', [(1, 0)]),
        (b'\n\n{\n "a": 1\n}', [(3, 2)]),
        (b'{\n "a": 1\n}\n{\n "a": 2\n}\n', [(1, 0), (4, 12)]),
        (b'{\n "a": 1\n}\n{"a": 2}\n', [(1, 0), (4, 12)]),
        (b"[]", []),
        (b"[\n]\n", []),
        (b'["a,]",1, {"b":"]"}]', [(1, 1), (1, 7), (1, 10)]),
    ],
)
def test_each_item_has_its_line_and_offset(data: bytes, wanted: list[tuple[int, int]]) -> None:
    found = items(data)
    assert found is not None
    assert [(item.line, item.byte_offset) for item in found] == wanted
    for item in found:
        assert data[item.byte_offset :].startswith(item.raw)
        json.loads(item.raw)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"plain text\n",
        b'{"a":1}\n{"a":2}\n',
        b'{"a":1}\n',
        b'{"a":1}',
        b"[1,2]\n[3]\n",
        b'[1]\n{"a":1}\n',
        b'{"a":1} {"b":2}\n{"c":3}\n',
        # A first line that was cut off, with lines after it that are whole.
        b'{"a": {"b": 1\n{"a":1}\n{"a":2}\n',
        b'{"a": "cut\n{"a":1}\n{"a":2}\n',
        b'[{"a": 1\n{"a":1}\n{"a":2}\n',
    ],
)
def test_lines_stay_lines(data: bytes) -> None:
    assert items(data) is None


@pytest.mark.parametrize(
    ("data", "is_torn"),
    [
        (b'[\n{"id":"a1"},\n{"id":"a2"}\n', True),
        (b'[\n{"id":"a1"},\n{"id":"a2"}\n]\n{"id":"a3"}\n', False),
        (b'[\n{"id":"a1"},\n{"id":"a2"},\n]\n', False),
        (b'[\n{"id":"a1"},,\n{"id":"a2"}\n]\n', False),
        (b'[\n{"id":"a1"}}\n,{"id":"a2"}\n]\n', False),
        (b'{\n"x": [\n{"a":1},\n{"b":2}\n', True),
        (b'{\n"x": [\n{"a":1}\n]\n}\n]', False),
        (b'{\n"x": 1\n}\n{\n"x": 2\n', True),
    ],
)
def test_half_a_value_is_one_item_that_gives_nothing(data: bytes, is_torn: bool) -> None:
    found = items(data)
    assert found is not None
    (item,) = found
    assert item.raw == data
    assert item.torn is is_torn
    assert isinstance(parse_line(item.raw), LineFault)


def test_one_damaged_item_stops_itself_alone() -> None:
    first, second, third = values(b'[{"a":1},\n{"a":nope},\n{"a":3}]')
    assert (first, third) == ({"a": 1}, {"a": 3})
    assert isinstance(second, LineFault)


def test_a_missing_comma_joins_two_items_and_neither_is_used() -> None:
    first, second = values(b'[\n{"a":1}\n{"a":2},\n{"a":3}\n]')
    assert isinstance(first, LineFault)
    assert second == {"a": 3}


def test_one_object_without_a_line_end_is_whole_where_a_file_is_the_unit() -> None:
    assert items(b'{"a":1}') is None
    found = items(b'{"a":1}', whole=True)
    assert found is not None
    assert [item.raw for item in found] == [b'{"a":1}']
    assert items(b'{"a":1}\n{"a":2}', whole=True) is None


def test_an_oversize_item_is_seen_and_the_next_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_json, "MAX_LINE_BYTES", 10)
    found = items(b'[{"a":"' + b"x" * 50 + b'"},{"b":1}]')
    assert found is not None
    assert [len(item.raw) for item in found] == [11, 7]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(
    values=st.lists(st.dictionaries(st.text(max_size=4), _JSON, max_size=3), min_size=1, max_size=6),
    indent=st.sampled_from([None, 0, 2]),
    block=st.integers(1, 40),
    ascii_only=st.booleans(),
)
def test_any_array_gives_its_items_whatever_the_block(
    values: list[dict[str, object]], indent: int | None, block: int, ascii_only: bool
) -> None:
    data = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole_json, "_BLOCK_BYTES", block)
        found = items(data)
    assert found is not None
    assert [json.loads(item.raw) for item in found] == values
    for item in found:
        assert data[item.byte_offset :].startswith(item.raw)
        assert item.line == 1 + data.count(b"\n", 0, item.byte_offset)


@given(cut=st.integers(1, 10**6), indent=st.sampled_from([None, 1]))
def test_a_value_that_was_cut_off_gives_nothing(cut: int, indent: int | None) -> None:
    data = json.dumps([{"id": n, "text": 'a "quoted" \\ [{'} for n in range(5)], indent=indent).encode()
    data = data[: 1 + cut % (len(data) - 1)]
    found = items(data)
    assert found is None or all(item.torn and isinstance(parse_line(item.raw), LineFault) for item in found)
    if found is None:
        assert all(isinstance(parse_line(line), LineFault) for line in data.split(b"\n"))


def test_a_source_is_read_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b'{"a":1}\n{"a":2}\n')
    (tmp_path / "array").write_bytes(b'[{"a":1},\n{"a":2}]')
    raws = [[line.raw for line in read_source(tmp_path / name, Ending.OPEN)] for name in ("lines", "array")]
    assert raws == [[b'{"a":1}', b'{"a":2}']] * 2
