"""Records in partitions, keys and marks in few bytes: each is what a list, a set and a dict would be."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.faults import StorageError
from pipeline.engine import spool
from pipeline.engine.key_set import KeySet
from pipeline.engine.pairs import Pairs
from pipeline.engine.row_marks import RowMarks
from pipeline.engine.spool import Spool

WAYS = [(1, 0), (2, 100), (7, 0), (7, 1 << 20), (256, 1 << 20)]
"""Partitions, and the bytes that stay in memory: 0 for none."""


def digest(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()


def key(*parts: object) -> bytes:
    return digest(*parts)[:16]


@given(st.lists(st.integers(0, 40), max_size=200))
def test_a_set_of_keys_is_a_set(drawn: Sequence[int]) -> None:
    # Zeros repeat, so that keys that lie together hold other keys astride.
    alike = [bytes(8) + bytes([number]) * 3 + bytes(5) for number in range(5)]
    seen: set[bytes] = set()
    found = KeySet()
    for each in (alike[number % 5] if number < 20 else key(number) for number in drawn):
        assert found.add(each) is (each not in seen)
        seen.add(each)
    assert len(found) == len(seen)


def test_a_set_of_keys_grows() -> None:
    keys, found = [key(number) for number in range(20_000)], KeySet()
    assert all(map(found.add, keys))
    assert not any(map(found.add, keys))


@given(
    st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 300)), st.integers(0, 70_000)),
    st.sets(st.tuples(st.integers(0, 3), st.integers(0, 300)), max_size=20),
)
def test_marks_are_a_mapping(said: dict[tuple[int, int], int], taken_back: set[tuple[int, int]]) -> None:
    marks: RowMarks[int] = RowMarks()
    marks.update(said)
    for place in taken_back & said.keys():
        del marks[place], said[place]
    assert dict(marks) == said
    assert len(marks) == len(said)
    assert [marks.at(place) for place in taken_back] == [said.get(place) for place in taken_back]
    for chunk in range(5):
        assert marks.of_chunk(chunk, 400) == [said.get((chunk, row)) for row in range(400)]


def test_marks_have_room_for_as_many_values_as_there_are_rows() -> None:
    marks: RowMarks[int] = RowMarks()
    for value in range(70_000):
        marks[0, value % 5] = marks[1, value] = value
    assert [marks[0, row] for row in range(5)] == [69_995, 69_996, 69_997, 69_998, 69_999]
    assert all(marks[1, value] == value for value in range(70_000))


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0]}-{way[1]}")
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    partitions, kept_bytes = request.param
    monkeypatch.setattr(spool, "PARTITIONS", partitions)
    monkeypatch.setattr(spool, "KEPT_BYTES", kept_bytes)
    return partitions, kept_bytes


def test_records_come_back_in_their_order_and_the_file_goes(tmp_path: Path, way: tuple[int, int]) -> None:
    file = tmp_path / "scratch" / "records"
    records = Spool(file)
    put = [digest(number) * (1 + number % 3) for number in range(100)]
    for record in put:
        records.of_byte[record[0]] += record
        records.settle()
    assert file.exists() == (way[1] < sum(map(len, put)))
    expected = [b"".join(each for each in put if each[0] % way[0] == number) for number in range(way[0])]
    assert [records.partition(number) for number in range(way[0])] == expected
    elsewhere = copy.copy(records)  # as a task in another process has it
    assert [elsewhere.partition(number) for number in range(way[0])] == expected
    assert list(records.take()) == expected
    assert not file.exists()
    assert [records.partition(number) for number in range(way[0])] == [b""] * way[0]


def test_a_file_that_lost_its_end_is_a_fault_and_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "KEPT_BYTES", 0)
    records = Spool(tmp_path / "records")
    records.of_byte[0] += b"x" * 100
    records.settle()
    os.truncate(tmp_path / "records", 99)
    with pytest.raises(StorageError) as caught:
        records.partition(0)
    assert "records" in caught.value.fault.what_happened


def test_pairs_come_in_the_order_of_their_tasks_first_attempts(tmp_path: Path, way: tuple[int, int]) -> None:
    pairs = Pairs(Spool(tmp_path / "pairs"))
    put: list[tuple[tuple[int, int], tuple[bytes, bytes]]] = []
    for number in range(300):
        put.append(((number // 40, number * 7 % 40 * 25), (b"c" * number * 30, b"r" * (number + 1))))
        put.append((put[-1][0], (b"second", bytes([number % 256]))))
    for partition in range(way[0]):
        for number, (first, pair) in sorted(enumerate(put), key=lambda each: (each[1][0], each[0])):
            if number // 2 % way[0] == partition:
                pairs.put(partition, first, pair)
        pairs.settle()
    expected = [pair for _, pair in sorted(put, key=lambda each: each[0])]
    assert list(pairs) == list(pairs) == expected
    assert len(pairs) == len(expected)
