"""A finished chunk is believed only while it is whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.contracts.faults import StorageError
from pipeline.engine import chunk_cache
from pipeline.engine.chunk_cache import ChunkCache
from pipeline.engine.chunk_entries import LineEntry, RowEntry
from pipeline.engine.chunk_index import ChunkIndex

KEY = "ab" + "0" * 62


@pytest.fixture
def cache(tmp_path: Path) -> ChunkCache:
    sections = [b'{"evidence":1}\n', b'{"scored":1}\n', b"", b'{"sft":1}\n']
    lengths = (len(sections[0]), len(sections[1]), len(sections[2]), len(sections[3]))
    digests = b"".join(hashlib.sha256(section).digest() for section in sections if section)
    row = RowEntry("s/1", "t", 0, 0, 1.0, lengths, digests)
    index = ChunkIndex.made_of(
        sections,
        lines_read=1,
        lines=[LineEntry(1, 0, b"d" * 32, [row])],
        skips=[],
        counts={"lines": 1},
    )
    made = ChunkCache(tmp_path)
    made.store(KEY, index, sections)
    return made


def test_a_stored_chunk_is_found(cache: ChunkCache) -> None:
    index = cache.load(KEY)
    assert index is not None
    assert index.run_ids == ["s/1"]
    assert cache.load("cd" + KEY[2:]) is None


def test_an_index_with_any_flipped_bit_is_not_believed(cache: ChunkCache) -> None:
    path = cache.index_path(KEY)
    whole = path.read_bytes()
    for at in range(len(whole)):
        for bit in (1, 128):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
            assert cache.load(KEY) is None, (at, bit)
    path.write_bytes(whole)
    assert cache.load(KEY) is not None


def test_an_index_cut_anywhere_is_not_believed(cache: ChunkCache) -> None:
    whole = cache.index_path(KEY).read_bytes()
    for cut in range(len(whole)):
        cache.index_path(KEY).write_bytes(whole[:cut])
        assert cache.load(KEY) is None, cut


def test_rows_cut_anywhere_are_not_believed(cache: ChunkCache) -> None:
    whole = cache.rows_path(KEY).read_bytes()
    for cut in range(len(whole)):
        cache.rows_path(KEY).write_bytes(whole[:cut])
        assert cache.load(KEY) is None, cut


@pytest.mark.parametrize("boot", ["another", ""])
def test_after_another_boot_rows_are_compared_with_their_digests(
    cache: ChunkCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, boot: str
) -> None:
    monkeypatch.setattr(chunk_cache, "boot_id", lambda: boot)
    later = ChunkCache(tmp_path)
    assert later.load(KEY) is not None
    whole = cache.rows_path(KEY).read_bytes()
    for at in range(len(whole)):
        cache.rows_path(KEY).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert later.load(KEY) is None, at


def test_only_the_named_chunks_and_no_dead_writers_files_are_kept(cache: ChunkCache) -> None:
    litter = cache.rows_path(KEY).with_name(f".{KEY}.rows.99.tmp")
    litter.write_bytes(b"half")
    assert cache.keep_only({KEY}) == 0
    assert not litter.exists()
    assert cache.load(KEY) is not None
    assert cache.keep_only(set()) == 1
    assert cache.load(KEY) is None


def test_a_linked_folder_is_not_written_through(cache: ChunkCache, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    key = "cd" + KEY[2:]
    (cache.folder / "cd").symlink_to(outside)
    index = cache.load(KEY)
    assert index is not None
    with pytest.raises(StorageError, match="is a link"):
        cache.store(key, index, [b"data"])
    assert list(outside.iterdir()) == []
