"""A chunk's index: columns say what the entries said, and whole stretches of rows are written as one."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.candidates import by_task, packed, place_of, unpacked
from pipeline.engine.chunk_entries import CATEGORY_CODE, EVIDENCE, SFT, LineEntry, RowEntry, pack_refusal
from pipeline.engine.chunk_index import ChunkIndex, cut, decode_index, encode_index, numbers
from pipeline.engine.rows_writer import RowsWriter, blocks
from pipeline.stages.refusals import QuarantineReason

KEYS = [bytes([number]) * 16 for number in range(8)]


def _row(number: int, **facts: object) -> RowEntry:
    lengths = (10 + number, 5, 0, number % 2 * 7)
    digests = b"".join(bytes([number + at]) * 32 for at, length in enumerate(lengths) if length)
    return RowEntry(f"s/{number}", f"t{number}", 0, CATEGORY_CODE["accepted"], 1.0, lengths, digests, **facts)  # type: ignore[arg-type]


def _index(lines: list[LineEntry]) -> ChunkIndex:
    made = ChunkIndex.made_of([b""] * 4, lines_read=len(lines), lines=lines, skips=[], counts={})
    return decode_index(encode_index(made))


def test_digests_lie_together_by_section() -> None:
    index = _index([LineEntry(1, 0, bytes(32), [_row(1), _row(2)]), LineEntry(2, 9, bytes(32), [_row(3)])])
    assert numbers("I", index.lengths[SFT]).tolist() == [7, 0, 7]
    assert cut(index.digests[SFT], 32) == [bytes([1 + SFT]) * 32, bytes([3 + SFT]) * 32]
    assert cut(index.digests[EVIDENCE], 32) == [bytes([number]) * 32 for number in (1, 2, 3)]


def test_rows_know_their_lines_and_lines_their_places() -> None:
    members = [("a.jsonl", 3, 30), ("b.jsonl", 1, 0)]
    index = _index(
        [
            LineEntry(1, 0, bytes(32), []),
            LineEntry(3, 30, bytes(32), [_row(1), _row(2)], "a.jsonl", 1, members),
            LineEntry(4, 40, bytes(32), [_row(3)]),
        ]
    )
    assert list(index.lines_of_rows()) == [1, 1, 2]
    assert list(index.rows_without({1})) == [2]
    assert index.places(1) == members
    assert index.places(2) == [("", 4, 40)]


def test_a_candidate_is_what_the_entry_was() -> None:
    turns = b"u" * 8 + b"a" * 8
    talk = _row(
        1,
        task_key=KEYS[1],
        response_key=KEYS[2],
        prompt_key=KEYS[3],
        question_key=KEYS[4],
        task_question_key=KEYS[5],
        turn_keys=turns,
        tokens=2**40,
        is_validation=True,
        choose_refusal=pack_refusal(QuarantineReason.BELOW_PARTIAL_AT, "0.4"),
    )
    refused = _row(2, preference_refusal=pack_refusal(QuarantineReason.TOO_LONG, "9 tokens"))
    flat = _row(3, task_key=KEYS[1], response_key=KEYS[6], loose_response_key=KEYS[7])
    index = _index([LineEntry(1, 0, bytes(32), [talk, refused, flat])])
    records = b"".join(packed(9, index, range(3)))
    assert by_task(records) == {KEYS[1]: records}
    (one, one_record), (other, _) = unpacked(records)
    assert place_of(one_record) == one.place == (9, 0)
    assert (one.turn_keys, one.is_conversation, one.is_validation, one.tokens) == (turns, True, True, 2**40)
    assert one.choose_refusal is QuarantineReason.BELOW_PARTIAL_AT
    assert (one.task_key, one.task_question_key, one.response_key) == (KEYS[1], KEYS[5], KEYS[2])
    assert one.for_pairing().loose_response_key == b""
    assert (other.place, other.offset, other.length) == ((9, 2), 11 + 12, 13)
    assert (other.choose_refusal, other.for_pairing().turn_keys) == (None, None)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans())))
def test_blocks_hold_the_rows_that_are_kept_and_no_other(rows: Sequence[tuple[int, bool]]) -> None:
    texts = [
        b"x" * length + bytes([number % 256]) if length else b"" for number, (length, _) in enumerate(rows)
    ]
    data, digests = b"".join(texts), [hashlib.sha256(text).digest() for text in texts if text]
    found = blocks(map(len, texts), b"".join(digests), [kept for _, kept in rows])
    kept_texts = [text for text, (_, kept) in zip(texts, rows, strict=True) if kept and text]
    assert b"".join(data[start:end] for start, end, _ in found) == b"".join(kept_texts)
    assert b"".join(block.digests for block in found) == b"".join(
        hashlib.sha256(text).digest() for text in kept_texts
    )
    assert all(one.end < other.start for one, other in itertools.pairwise(found)), "none touch"


@pytest.mark.parametrize("size", [10, 3 << 20])
def test_rows_written_as_a_block_are_stamped_one_by_one(tmp_path: Path, size: int) -> None:
    rows = [b'{"a":{"b":"%b}\\n"}}\n' % (b"y" * size), b'{"a":1}\n']
    digests = b"".join(hashlib.sha256(row).digest() for row in rows)
    writer = RowsWriter(tmp_path / "rows.jsonl", "2026-01-01T00:00:00Z")
    writer.add(lambda: b"".join(rows), blocks(map(len, rows), digests, [True, True]))
    writer.add_row({"c": "}"})
    written = writer.finish("rows.jsonl")
    stamp = b',"recorded_at":"2026-01-01T00:00:00Z"}\n'
    assert (tmp_path / "rows.jsonl").read_bytes() == b"".join(
        row.removesuffix(b"}\n") + stamp for row in (*rows, b'{"c":"}"}\n')
    )
    assert written.rows == 3
    assert (
        written.rows_digest == hashlib.sha256(digests + hashlib.sha256(b'{"c":"}"}\n').digest()).hexdigest()
    )
