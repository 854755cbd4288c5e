"""The grid: every byte in exactly one chunk, cuts at line ends, line numbers right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.faults import InputError
from pipeline.engine.chunks import plan_chunks

_LINES = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=30)


@given(lines=_LINES, chunk_bytes=st.integers(1, 60), is_torn=st.booleans())
def test_chunks_cover_the_file_and_end_at_line_ends(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], chunk_bytes: int, is_torn: bool
) -> None:
    data = b"".join(line + b"\n" for line in lines) + (b"torn" if is_torn else b"")
    path = tmp_path_factory.mktemp("grid") / "source"
    path.write_bytes(data)
    chunks = list(plan_chunks(path, chunk_bytes, len(data)))
    assert b"".join(data[chunk.start : chunk.end] for chunk in chunks) == data
    for chunk in chunks:
        assert chunk.start < chunk.end
        assert chunk.is_last == (chunk.end == len(data))
        assert chunk.is_last or data[: chunk.end].endswith(b"\n")
        assert chunk.first_line == data[: chunk.start].count(b"\n") + 1


def test_what_a_writer_appends_meanwhile_belongs_to_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(b"one\ntwo\nthree\n")
    assert [chunk.end for chunk in plan_chunks(path, 100, 8)] == [8]


def test_a_source_that_shrank_is_named(tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(b"one\n")
    with pytest.raises(InputError) as caught:
        list(plan_chunks(path, 100, 50))
    assert caught.value.fault.code == "source_shrank"
    assert str(path) in caught.value.fault.what_happened
