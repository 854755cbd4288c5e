"""JSON of unknown quality: an object, or one of three reasons why there is none; never an exception."""

from __future__ import annotations

import errno
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.platform.lenient_json import (
    Garbage,
    Gone,
    Refused,
    bytes_or_empty,
    count_of,
    number_of,
    object_in,
    parse_object,
    read_bytes,
    read_object,
    read_tail,
    record_of,
    rows,
)

GARBAGE = [
    b"",
    b"{",
    b'{"a": 1',
    b"[1]",
    b"7",
    b"null",
    b"\xff\xfe{}",
    b'{"a": "\\ud800"}',
    b'{"a": 1, "a": 2}',
    b'{"deep": {"a": 1, "a": 2}}',
    b'{"a": NaN}',
    b'{"a": -Infinity}',
    b"{" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 100_000,
    b'{"a": ' + b"9" * 10_000 + b"}",
    b"\0" * 64,
]


@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
def test_what_is_no_object_is_garbage_with_a_reason(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "report.json").write_bytes(data)
    for found in (parse_object(data), read_object(tmp_path / "report.json")):
        assert isinstance(found, Garbage)
        assert found.why
    assert object_in(tmp_path / "report.json") is None


def test_an_object_is_itself(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(
        '{"a": {"b": ["ü", "\\u00fc", "\\ud83d\\ude00"]}}', encoding="utf-8"
    )
    assert read_object(tmp_path / "report.json") == {"a": {"b": ["ü", "ü", "😀"]}}


def test_what_is_not_there_is_gone(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"{}")
    assert isinstance(read_object(tmp_path / "none"), Gone)
    assert isinstance(read_object(tmp_path / "file" / "below"), Gone)
    assert bytes_or_empty(tmp_path / "none") == b""


def test_what_the_system_does_not_give_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "report.json").write_bytes(b"{}")
    for number in (errno.EACCES, errno.EMFILE, errno.EIO):

        def refusing(*_arguments: object, number: int = number, **_named: object) -> int:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", refusing)
            assert read_object(tmp_path / "report.json") == Refused(os.strerror(number))
            assert read_tail(tmp_path / "report.json", 10) == Refused(os.strerror(number))
            with pytest.raises(OSError, match=os.strerror(number)):
                bytes_or_empty(tmp_path / "report.json")
    assert isinstance(read_object(Path(f"{tmp_path}/a\0b")), Refused)


def test_a_folder_a_pipe_and_what_is_too_large_are_garbage(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b" " * 11)
    (tmp_path / "just").write_bytes(b"{}")
    for found in (
        read_object(tmp_path),
        read_object(tmp_path / "pipe"),
        read_tail(tmp_path / "pipe", 10),
        read_bytes(tmp_path / "large", most_bytes=10),
    ):
        assert isinstance(found, Garbage)
    assert read_object(tmp_path / "just", most_bytes=2) == {}
    with pytest.raises(ValueError, match="not a regular file"):
        bytes_or_empty(tmp_path / "pipe")


def test_a_tail_begins_with_a_whole_line(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b'{"a":1}\n{"a":2}\n{"a":3}\n{"a"')
    assert read_tail(tmp_path / "journal", 1000) == b'{"a":1}\n{"a":2}\n{"a":3}\n{"a"'
    tail = read_tail(tmp_path / "journal", 17)
    assert isinstance(tail, bytes)
    assert list(rows(tail.split(b"\n"))) == [{"a": 3}]


@pytest.mark.parametrize("value", [True, -1, "1", None, 1.5, 2**80, [1]])
def test_no_count_is_made_of_another_value(value: object) -> None:
    assert count_of({"n": value}, "n") is None


def test_numbers_have_an_end() -> None:
    assert parse_object(b'{"n": 1e999}') == {"n": float("inf")}
    for value in (float("inf"), float("nan"), 10**400, True, "1"):
        assert number_of({"n": value}, "n") is None
    assert number_of({"n": 7}, "n") == 7.0


@pytest.mark.parametrize("read", [read_bytes, lambda path: read_tail(path, 64 << 20)], ids=["whole", "tail"])
def test_a_small_file_is_read_into_little_room(tmp_path: Path, read: Callable[[Path], object]) -> None:
    (tmp_path / "report.json").write_bytes(b"{}\n" * 100)
    tracemalloc.start()
    try:
        assert read(tmp_path / "report.json") == b"{}\n" * 100
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1 << 20


@dataclass(frozen=True)
class _Told:
    id: str
    count: int
    size: float | None
    is_required: bool = True
    note: str = "none"
    names: tuple[str, ...] = ()
    at: float | None = None


def test_a_record_takes_what_is_of_its_fields_types_and_keeps_its_defaults_for_the_rest() -> None:
    said = {"id": 7, "count": True, "size": 1, "is_required": False, "note": [], "names": ["a", 1], "at": 9.0}
    assert record_of(_Told, said, at=None) == _Told("?", 0, 1.0, False, "none", ("a",), None)
    assert record_of(_Told, None) == _Told("?", 0, None)


def test_a_field_that_is_known_is_not_read() -> None:
    assert record_of(_Told, {"id": "theirs", "note": "theirs"}, id="ours", note="").id == "ours"
