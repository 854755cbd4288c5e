"""An output that grew begins with the bytes that stand; from the first other row on it is made anew."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine import ledger, made_rows
from pipeline.engine.ledger import MadeRows, keep_ledgers, ledger_path, read_ledger, staged_ledger
from pipeline.engine.made_rows import MadeBefore, NoteMade
from pipeline.engine.output import Output
from pipeline.engine.rows_writer import Block, RowsWriter
from pipeline.engine.standing_rows import StandingChangedError, StandingRows
from pipeline.storage.digests import measured, row_end

RELATIVE = "exports/rows.jsonl"
STAMPS = ("2026-01-01T00:00:00Z", "2026-02-02T00:00:00.5Z", "2026-03-03T00:00:00Z")
ROWS = st.lists(st.sampled_from([b'{"a":%d}\n' % number for number in range(4)]), max_size=12)


def with_digest(line: bytes) -> tuple[bytes, bytes]:
    return line, hashlib.sha256(line).digest()


def stamped(row: bytes, stamp: str) -> bytes:
    return row.removesuffix(b"}\n") + row_end(stamp)


def write(
    workspace: Path,
    rows: Sequence[bytes],
    stamp: str,
    previous: Output | None,
    *,
    block: int | None = None,
    with_ledger: bool = True,
) -> Output:
    """Write ``rows`` over what stands and put them in its place; ``block`` rows at a time, or one by one."""
    staged = workspace / "staging" / RELATIVE
    staged.parent.mkdir(parents=True, exist_ok=True)
    standing = None if previous is None else StandingRows(workspace, previous)
    writer = RowsWriter(staged, stamp, standing)
    if block is None:
        for row in rows:
            writer.add_lines([row])
    else:
        for first in range(0, len(rows), block):
            part = rows[first : first + block]
            data = b"".join(part)
            digests = b"".join(hashlib.sha256(row).digest() for row in part)
            writer.add(partial(bytes, data), [Block(0, len(data), digests)])
    written = writer.finish(RELATIVE)
    target = workspace / RELATIVE
    target.parent.mkdir(parents=True, exist_ok=True)
    if written.staged is not None:
        staged.replace(target)
    keep_ledgers(workspace, workspace / "staging", [written])
    if not with_ledger:
        ledger_path(workspace, RELATIVE).unlink(missing_ok=True)
    return replace(written, staged=None)


def expected(runs: Sequence[Sequence[bytes]]) -> bytes:
    """What stands after several runs: each keeps the rows that were there, up to the first other one."""
    stands: list[tuple[bytes, str]] = []
    for rows, stamp in zip(runs, STAMPS, strict=False):
        same = 0
        while same < min(len(rows), len(stands)) and rows[same] == stands[same][0]:
            same += 1
        stands = stands[:same] + [(row, stamp) for row in rows[same:]]
    return b"".join(stamped(row, stamp) for row, stamp in stands)


@given(
    runs=st.lists(ROWS, min_size=1, max_size=3),
    blocks=st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=3, max_size=3),
    with_ledger=st.booleans(),
)
def test_a_row_keeps_its_stamp_as_long_as_no_row_up_to_it_changed(
    tmp_path_factory: pytest.TempPathFactory,
    runs: list[list[bytes]],
    blocks: list[int | None],
    *,
    with_ledger: bool,
) -> None:
    workspace = tmp_path_factory.mktemp("w")
    output: Output | None = None
    for rows, stamp, block in zip(runs, STAMPS, blocks, strict=False):
        output = write(workspace, rows, stamp, output, block=block, with_ledger=with_ledger)
    assert output is not None
    assert (workspace / RELATIVE).read_bytes() == expected(runs)
    claimed = measured(workspace / RELATIVE)
    assert claimed == {name: getattr(output, name) for name in claimed}
    if with_ledger:
        known = read_ledger(ledger_path(workspace, RELATIVE), output.sha256)
        assert known is not None
        by_reading = ledger.ledger_from(workspace / RELATIVE, output.sha256)
        assert known.digests(0, known.rows) == by_reading.digests(0, by_reading.rows)
        ends = [end for end, _ in known.spans]
        assert ends == sorted(ends)
        assert (ends or [0])[-1] == len(runs[-1])


def test_rows_that_stand_are_not_written_again(tmp_path: Path) -> None:
    first = write(tmp_path, [b'{"a":1}\n'], STAMPS[0], None)
    before = (tmp_path / RELATIVE).stat()
    again = write(tmp_path, [b'{"a":1}\n'], STAMPS[1], first)
    assert again == first
    assert (tmp_path / RELATIVE).stat().st_mtime_ns == before.st_mtime_ns
    assert not (tmp_path / "staging" / RELATIVE).exists()


@pytest.mark.parametrize("rows", [[b'{"a":1}\n', b'{"a":2}\n'], [b'{"a":1}\n', b'{"a":2}\n', b'{"a":3}\n']])
def test_bytes_that_changed_unseen_are_not_built_upon(tmp_path: Path, rows: list[bytes]) -> None:
    first = write(tmp_path, [b'{"a":1}\n', b'{"a":2}\n', b'{"a":4}\n'][: len(rows)], STAMPS[0], None)
    path = tmp_path / RELATIVE
    path.write_bytes(path.read_bytes().replace(b'"a":1', b'"a":7'))
    writer = RowsWriter(tmp_path / "staging" / RELATIVE, STAMPS[1], StandingRows(tmp_path, first))
    with pytest.raises(StandingChangedError):
        writer.add_lines([*rows, b'{"a":9}\n'])


@pytest.mark.parametrize("at", [0, 40, -30, -6, -1])
def test_a_damaged_ledger_is_not_believed(tmp_path: Path, at: int) -> None:
    first = write(tmp_path, [b'{"a":1}\n', b'{"a":2}\n'], STAMPS[0], None)
    path = ledger_path(tmp_path, RELATIVE)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert read_ledger(path, first.sha256) is None
    write(tmp_path, [b'{"a":1}\n', b'{"a":3}\n'], STAMPS[1], first)
    assert (tmp_path / RELATIVE).read_bytes() == stamped(b'{"a":1}\n', STAMPS[0]) + stamped(
        b'{"a":3}\n', STAMPS[1]
    )


def test_the_ledger_of_another_output_is_none(tmp_path: Path) -> None:
    first = write(tmp_path, [b'{"a":1}\n'], STAMPS[0], None)
    assert read_ledger(ledger_path(tmp_path, RELATIVE), "0" * 64) is None
    assert read_ledger(ledger_path(tmp_path, RELATIVE), first.sha256) is not None
    assert read_ledger(tmp_path / "none", first.sha256) is None


def made(tmp_path: Path, context: str = "c") -> Output:
    """Two rows that were made from something, with stamps of two lengths."""
    lines = {b"k" * 16: b'{"a":1}\n', b"l" * 16: b'{"bb":22}\n'}
    output = write(tmp_path, [b'{"a":1}\n'], STAMPS[0], None)
    staged = tmp_path / "staging" / RELATIVE
    writer = RowsWriter(staged, STAMPS[1], StandingRows(tmp_path, output))
    noted = NoteMade(context)
    for key, line in lines.items():
        writer.add_lines([line])
        noted.row(key, line)
    noted.refused(b"m" * 16, "why")
    written = writer.finish(RELATIVE, noted.noted())
    staged.replace(tmp_path / RELATIVE)
    keep_ledgers(tmp_path, tmp_path / "staging", [written])
    return replace(written, staged=None)


def test_what_rows_are_made_from_is_noted_anew_though_they_stay(tmp_path: Path) -> None:
    output = made(tmp_path)
    standing = StandingRows(tmp_path, output)
    writer = RowsWriter(tmp_path / "staging" / RELATIVE, STAMPS[2], standing)
    noted = NoteMade("another context")
    for line in (b'{"a":1}\n', b'{"bb":22}\n'):
        writer.add_lines([line])
        noted.row(b"o" * 16 if b"bb" in line else b"n" * 16, line)
    kept = writer.finish(RELATIVE, noted.noted())
    assert kept == output
    keep_ledgers(tmp_path, tmp_path / "staging", [kept])
    with MadeBefore(tmp_path, StandingRows(tmp_path, kept), "another context") as before:
        assert before.row(b"o" * 16) == with_digest(b'{"bb":22}\n')


def test_a_ledger_that_was_lost_is_there_again_after_a_run(tmp_path: Path) -> None:
    first = write(tmp_path, [b'{"a":1}\n'], STAMPS[0], None, with_ledger=False)
    assert read_ledger(ledger_path(tmp_path, RELATIVE), first.sha256) is None
    again = write(tmp_path, [b'{"a":1}\n'], STAMPS[1], first)
    assert again == first
    assert read_ledger(ledger_path(tmp_path, RELATIVE), first.sha256) is not None


def test_a_made_row_is_found_by_what_it_was_made_from(tmp_path: Path) -> None:
    standing = StandingRows(tmp_path, made(tmp_path))
    with MadeBefore(tmp_path, standing, "c") as before:
        assert before.row(b"k" * 16) == with_digest(b'{"a":1}\n')
        assert before.row(b"l" * 16) == with_digest(b'{"bb":22}\n')
        assert before.row(b"n" * 16) is None
        assert before.refused == {b"m" * 16: "why"}


def test_made_rows_hold_under_their_own_settings_only(tmp_path: Path) -> None:
    standing = StandingRows(tmp_path, made(tmp_path))
    for other in (MadeBefore(tmp_path, standing, "d"), MadeBefore(tmp_path, None, "c")):
        with other as before:
            assert before.row(b"k" * 16) is None
            assert not before.refused


@pytest.mark.parametrize("more", [0, 1])
def test_of_too_many_rows_nothing_is_noted(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made_rows, "MOST_NOTED", 3)
    noted = NoteMade("c")
    for number in range(2 + more):
        noted.row(bytes([number]) * 16, b"{}")
    noted.refused(b"m" * 16, "why")
    lengths = array("I", [2, 2]).tobytes()
    all_of_it = MadeRows("c", bytes(16) + b"\1" * 16, lengths, {b"m" * 16: "why"})
    assert noted.noted() == (MadeRows() if more else all_of_it)


def test_a_made_row_that_was_changed_is_made_again(tmp_path: Path) -> None:
    standing = StandingRows(tmp_path, made(tmp_path))
    path = tmp_path / RELATIVE
    path.write_bytes(path.read_bytes().replace(b'"a":1', b'"a":2'))
    with MadeBefore(tmp_path, standing, "c") as before:
        assert before.row(b"k" * 16) is None
        assert before.row(b"l" * 16) == with_digest(b'{"bb":22}\n')


def test_a_ledger_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    staged = tmp_path / "rows.jsonl"
    staged_ledger(staged).mkdir()
    writer = RowsWriter(staged, STAMPS[0])
    writer.add_lines([b'{"a":1}\n'])
    written = writer.finish(RELATIVE, MadeRows())
    assert staged.read_bytes() == stamped(b'{"a":1}\n', STAMPS[0])
    assert written.rows == 1
