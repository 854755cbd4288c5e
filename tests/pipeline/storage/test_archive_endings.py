"""How much of an archive can be used, however it ends, and in how much memory that is found out."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.storage.archives import Compression, Ending, Extent, extent_of
from pipeline.storage.source_lines import SourceLine, read_line
from pipeline.storage.whole_json import read_source
from tests.waiting import LIMIT_SECONDS

LINES = [b'{"a":"%s"}\n' % sha256(b"%d" % number).hexdigest().encode() for number in range(4_000)]
TEXT = b"".join(LINES)
HALF = len(b"".join(LINES[:2_000]))

Compress = Callable[[bytes], bytes]
COMPRESS: dict[Compression, Compress] = {
    Compression.GZIP: gzip.compress,
    Compression.ZSTD: zstandard.ZstdCompressor(write_checksum=True).compress,
    Compression.BZIP2: bz2.compress,
    Compression.XZ: lzma.compress,
}
each_kind = pytest.mark.parametrize("kind", list(Compression))


def skippable(data: bytes) -> bytes:
    """A zstd frame that holds no content, as parallel compressors write it."""
    return b"\x5a\x2a\x4d\x18" + len(data).to_bytes(4, "little") + data


def written(folder: Path, data: bytes) -> Path:
    path = folder / "source.jsonl"
    path.write_bytes(data)
    return path


def lines(path: Path, ending: Ending = Ending.OPEN) -> list[SourceLine]:
    return list(read_source(path, ending))


def reasons(found: list[SourceLine]) -> list[SkipReason]:
    values = [read_line(line) for line in found]
    return [value.reason for value in values if isinstance(value, LineFault)]


@each_kind
def test_members_one_after_the_other_are_one_source(tmp_path: Path, kind: Compression) -> None:
    compress = COMPRESS[kind]
    path = written(tmp_path, compress(TEXT[:HALF]) + compress(b"") + compress(TEXT[HALF:]))
    assert extent_of(path) == Extent(len(TEXT), Ending.CLOSED, kind)
    assert b"".join(line.raw + b"\n" for line in lines(path)) == TEXT


@pytest.mark.parametrize("around", [b"", skippable(b"x" * 40)], ids=["first only", "everywhere"])
def test_skippable_frames_of_zstd_are_passed_over(tmp_path: Path, around: bytes) -> None:
    compress = COMPRESS[Compression.ZSTD]
    frames = [skippable(b"abcd"), compress(TEXT[:HALF]), around, compress(TEXT[HALF:]), around]
    path = written(tmp_path, b"".join(frames))
    assert extent_of(path) == Extent(len(TEXT), Ending.CLOSED, Compression.ZSTD)


@each_kind
def test_an_archive_that_is_cut_short_gives_its_whole_lines_and_one_skip(
    tmp_path: Path, kind: Compression
) -> None:
    compress = COMPRESS[kind]
    data = compress(TEXT[:HALF]) + compress(TEXT[HALF:])
    for cut in (1, 20, len(data) // 2, len(data) // 2 - 30):
        path = written(tmp_path, data[:-cut])
        extent, found = extent_of(path), lines(path)
        assert extent.ending is Ending.CUT_SHORT
        assert reasons(found) == [SkipReason.ARCHIVE_DAMAGED]
        assert [line.raw + b"\n" for line in found[:-1]] == LINES[: len(found) - 1]
        # The last line is what is left of the one in which the archive ends, be it nothing.
        assert found[-1].byte_offset + len(found[-1].raw) == extent.bytes
        assert found[-1].line == len(found)


@each_kind
def test_of_a_damaged_member_nothing_is_used_and_of_those_before_it_everything(
    tmp_path: Path, kind: Compression
) -> None:
    compress = COMPRESS[kind]
    first, second = compress(TEXT[:HALF]), bytearray(compress(TEXT[HALF:]))
    # One bit: where it changes a text and nothing else, only the checksum at the end shows it.
    for place in range(len(second) // 3, len(second) - 40, len(second) // 7):
        flipped = bytearray(second)
        flipped[place] ^= 1
        path = written(tmp_path, first + flipped)
        assert extent_of(path) == Extent(HALF, Ending.DAMAGED, kind), place
        found = lines(path)
        assert [line.raw + b"\n" for line in found[:-1]] == LINES[:2_000]
        assert reasons(found) == [SkipReason.ARCHIVE_DAMAGED]


@pytest.mark.parametrize("kind", [Compression.GZIP, Compression.XZ])
def test_zeros_after_a_member_are_padding(tmp_path: Path, kind: Compression) -> None:
    compress = COMPRESS[kind]
    path = written(tmp_path, compress(TEXT[:HALF]) + b"\0" * 512 + compress(TEXT[HALF:]) + b"\0" * 70_000)
    assert extent_of(path) == Extent(len(TEXT), Ending.CLOSED, kind)


@each_kind
def test_anything_else_after_a_member_is_damage_behind_it(tmp_path: Path, kind: Compression) -> None:
    path = written(tmp_path, COMPRESS[kind](TEXT) + b"trailing, and no archive")
    assert extent_of(path) == Extent(len(TEXT), Ending.DAMAGED, kind)


@each_kind
def test_the_last_line_of_an_archive_needs_no_line_end(tmp_path: Path, kind: Compression) -> None:
    path = written(tmp_path, COMPRESS[kind](b'{"a":1}\n{"b":2}'))
    assert [read_line(line) for line in lines(path)] == [{"a": 1}, {"b": 2}]


def test_the_last_line_of_a_closed_file_counts_if_it_is_whole(tmp_path: Path) -> None:
    whole, torn = written(tmp_path, b'{"a":1}\n{"b":2}'), tmp_path / "torn"
    torn.write_bytes(b'{"a":1}\n{"b":')
    assert reasons(lines(whole, Ending.OPEN)) == [SkipReason.TORN_TAIL]
    assert reasons(lines(whole, Ending.CLOSED)) == []
    assert reasons(lines(torn, Ending.CLOSED)) == [SkipReason.TORN_TAIL]


BOMB = """
import resource, sys
from pathlib import Path
from pipeline.storage.archives import extent_of
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(extent_of(Path(sys.argv[1])), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@each_kind
def test_a_bomb_is_named_before_it_has_gone_off(tmp_path: Path, kind: Compression) -> None:
    piece = COMPRESS[kind](b"\n" * 64 * 2**20)
    # 2 GiB; that each member is small is what makes it a bomb in small pieces.
    path = written(tmp_path, COMPRESS[kind](TEXT) + piece * 32)
    answer = subprocess.run(
        [sys.executable, "-c", BOMB, str(path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    ).stdout
    assert f"bytes=0, ending=<Ending.BOMB: '{Ending.BOMB}'>" in answer
    assert int(answer.split()[-1]) < 200
    assert reasons(lines(path)) == [SkipReason.ARCHIVE_DAMAGED]


BOMB_AT_ONCE = """\
import resource, sys
from pathlib import Path
from pipeline.storage.archives import open_source
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open_source(Path(sys.argv[1])) as source:
    assert source.read(1) == b"0"
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_few_bytes_that_are_much_are_handed_out_a_little_at_a_time(tmp_path: Path) -> None:
    # Unlike the others', a block of bzip2 has no limit that a small piece of input would keep.
    compressor = bz2.BZ2Compressor()
    block = b"0" * 2**26
    path = written(tmp_path, b"".join([*(compressor.compress(block) for _ in range(8)), compressor.flush()]))
    assert path.stat().st_size < 1_000
    answer = subprocess.run(
        [sys.executable, "-c", BOMB_AT_ONCE, str(path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert int(answer.stdout) < 50


def test_what_repeats_itself_within_reason_is_no_bomb(tmp_path: Path) -> None:
    # 70 MiB that shrink to a hundredth: a log with the same long prompt in each line.
    line = b'{"prompt":"%s","n":"%s"}\n'
    text = b"".join(
        line % (b"same " * 1_600, sha256(b"%d" % number).digest().hex().encode()) for number in range(9_000)
    )
    path = written(tmp_path, gzip.compress(text, 1))
    assert len(text) > 64 * 2**20
    assert extent_of(path) == Extent(len(text), Ending.CLOSED, Compression.GZIP)
