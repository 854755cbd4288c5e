"""Compressed sources are read as if they were plain, and a damaged one is named."""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from pipeline.contracts.faults import ExitCode, InputError
from pipeline.storage.archives import open_source

# Digests hardly compress, so that a cut falls inside the data.
TEXT = b"".join(b'{"a":"%s"}\n' % sha256(b"%d" % number).hexdigest().encode() for number in range(8_000))
GZIP = gzip.compress(TEXT)
# Without a checksum, which the zstd program writes unless told otherwise, damage may go unseen.
ZSTD = zstandard.ZstdCompressor(write_checksum=True).compress(TEXT)


def read_to_the_damage(path: Path) -> tuple[bytes, InputError]:
    """What a source gives before it fails, and how it fails."""
    read = bytearray()
    with open_source(path) as source:
        try:
            while piece := source.read(4096):
                read += piece
        except InputError as error:
            return bytes(read), error
    raise AssertionError("the source ended without an error")


def written(folder: Path, data: bytes) -> Path:
    path = folder / "source.jsonl"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        GZIP,
        ZSTD,
        gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]),
        zstandard.compress(TEXT[:1000]) + zstandard.compress(TEXT[1000:]),
        GZIP + b"\0" * 512,
    ],
    ids=["plain", "gzip", "zstd", "two gzip members", "two zstd frames", "padded gzip"],
)
def test_a_source_is_told_by_its_first_bytes(tmp_path: Path, data: bytes) -> None:
    path = written(tmp_path, data)
    with open_source(path) as source:
        assert source.read() == TEXT
    with open_source(path) as source:
        pieces = []
        while piece := source.read(999):
            pieces.append(piece)
    assert b"".join(pieces) == TEXT
    assert {len(piece) for piece in pieces[:-1]} == {999}


@pytest.mark.parametrize("data", [GZIP, ZSTD], ids=["gzip", "zstd"])
def test_a_truncated_archive_gives_what_it_holds_and_then_its_name(tmp_path: Path, data: bytes) -> None:
    path = written(tmp_path, data[: len(data) // 2])
    read, error = read_to_the_damage(path)
    assert len(read) > len(TEXT) // 10
    assert TEXT.startswith(read)
    assert error.fault.code == "archive_truncated"
    assert str(path) in error.fault.what_happened
    assert error.exit_code == ExitCode.NOT_EVALUABLE


@pytest.mark.parametrize("data", [GZIP, ZSTD], ids=["gzip", "zstd"])
def test_a_damaged_archive_is_named(tmp_path: Path, data: bytes) -> None:
    broken = bytearray(data)
    broken[len(broken) // 2 : len(broken) // 2 + 64] = b"\xff" * 64
    path = written(tmp_path, bytes(broken))
    _, error = read_to_the_damage(path)
    assert error.fault.code in ("archive_corrupt", "archive_truncated")
    assert str(path) in error.fault.what_happened


def test_bytes_after_a_gzip_archive_are_damage(tmp_path: Path) -> None:
    path = written(tmp_path, GZIP + b"trailing")
    read, error = read_to_the_damage(path)
    assert read == TEXT
    assert error.fault.code == "archive_corrupt"


def test_an_empty_file_is_an_empty_source(tmp_path: Path) -> None:
    with open_source(written(tmp_path, b"")) as source:
        assert source.read() == b""


def test_a_missing_file_is_an_input_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_source(tmp_path / "gone.jsonl")
    assert "gone.jsonl" in caught.value.fault.what_happened
