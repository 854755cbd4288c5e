"""What a chunk says about its rows, without their texts: the input of the ordered reduce.

A mapped chunk is two files in the cache: ``*.rows`` holds the rows' bytes in sections
(evidence, scored, rag, sft; each row ends in a newline and carries no ``recorded_at``), and
``*.index`` holds one column a fact, for all lines and rows. The index is renamed into place last, so a
chunk is done exactly when its index is there. Encoding is MessagePack, typed on both sides, behind
the CRC-32 of its bytes: a flipped bit would often still decode, to other numbers. Each output is
written by a task of its own that reads all indexes: columns are decoded by copying them.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Container, Iterable, Sequence
from typing import Any

import msgspec

from pipeline.engine.chunk_entries import (
    EVIDENCE,
    RAG,
    SCORED,
    SFT,
    LineEntry,
    LineOrigin,
    LinePlace,
    RowEntry,
    Sections,
    SkipEntry,
)

# Columns are as the machine keeps numbers, so that another kind of machine makes its own.
INDEX_VERSION = 9 if sys.byteorder == "little" else -9


class ChunkIndex(msgspec.Struct, array_like=True):
    """Everything there is to know of one chunk, a column a fact. ``section_bytes`` are the lengths of the
    sections of ``*.rows``.

    A column of numbers is as ``array`` writes it (its type code stands beside it), one of keys or digests
    has a fixed width; ``numbers`` and ``cut`` read them. Keys that do not exist are zero. What few rows
    have is a mapping from a row's ordinal; refusals are numbers of ``refusals``, of which 0 is "".
    """

    version: int
    boot_id: str
    lines_read: int
    section_bytes: tuple[int, int, int, int]
    skips: list[SkipEntry]
    counts: dict[str, int]
    # One value a line.
    line_numbers: bytes  # Q
    line_offsets: bytes  # Q
    sig_hashes: bytes  # 32 bytes
    line_rows: bytes  # I: how many rows the line has
    line_origins: list[LineOrigin]
    """Empty where every line is the chunk's own."""
    # One value a row.
    run_ids: list[str]
    task_ids: list[str]
    parts: bytes  # Q
    categories: bytes  # b
    scores: bytes  # d
    lengths: tuple[bytes, bytes, bytes, bytes]  # I: in each section, 0 for a row that is not there
    digests: tuple[bytes, bytes, bytes, bytes]  # 32 bytes: of the rows that are in the section
    task_keys: bytes  # 16 bytes, as all keys
    question_keys: bytes
    task_question_keys: bytes
    response_keys: bytes
    loose_response_keys: bytes
    prompt_keys: bytes
    rag_samples: bytes
    sft_samples: bytes
    refusals: list[str]
    rag_refusals: bytes  # I
    sft_refusals: bytes  # I
    preference_refusals: bytes  # I
    choose_refusals: bytes  # I
    validation: bytes  # B: whether rows of the run's question go to that split
    turns: bytes  # I
    tokens: bytes  # Q
    personal: bytes  # Q
    fields: bytes  # Q
    turn_keys: dict[int, bytes]
    """Of conversations, and of no other row."""
    weights: dict[int, bytes]
    bands: dict[int, bytes]
    evaluation_facts: dict[int, bytes]

    @classmethod
    def made_of(
        cls,
        sections: Sections,
        *,
        lines_read: int,
        lines: list[LineEntry],
        skips: list[SkipEntry],
        counts: dict[str, int],
    ) -> ChunkIndex:
        """The index of a chunk whose rows are in four ``sections``."""
        evidence, scored, rag, sft = map(len, sections)
        rows = [row for line in lines for row in line.rows]
        lengths = list(zip(*(row.lengths for row in rows), strict=True)) or [()] * 4
        known = {"": 0}

        def refused(refusals: Iterable[str]) -> bytes:
            return column("I", [known.setdefault(refusal, len(known)) for refusal in refusals])

        def few(values: Iterable[bytes]) -> dict[int, bytes]:
            return {ordinal: value for ordinal, value in enumerate(values) if value}

        of_rag = refused(row.rag_refusal for row in rows)
        of_sft = refused(row.sft_refusal for row in rows)
        of_preference = refused(row.preference_refusal for row in rows)
        of_choice = refused(row.choose_refusal for row in rows)
        has_origins = any(line.source_file or line.order or line.members for line in lines)
        return cls(
            version=INDEX_VERSION,
            boot_id="",
            lines_read=lines_read,
            section_bytes=(evidence, scored, rag, sft),
            skips=skips,
            counts=counts,
            line_numbers=column("Q", [line.line for line in lines]),
            line_offsets=column("Q", [line.byte_offset for line in lines]),
            sig_hashes=b"".join([line.sig_hash for line in lines]),
            line_rows=column("I", [len(line.rows) for line in lines]),
            line_origins=[LineOrigin(line.source_file, line.order, line.members) for line in lines]
            if has_origins
            else [],
            run_ids=[row.run_id for row in rows],
            task_ids=[row.task_id for row in rows],
            parts=column("Q", [row.part for row in rows]),
            categories=column("b", [row.category for row in rows]),
            scores=column("d", [row.score for row in rows]),
            lengths=(
                column("I", lengths[EVIDENCE]),
                column("I", lengths[SCORED]),
                column("I", lengths[RAG]),
                column("I", lengths[SFT]),
            ),
            digests=_digests_by_section(rows),
            task_keys=_keys([row.task_key for row in rows]),
            question_keys=_keys([row.question_key for row in rows]),
            task_question_keys=_keys([row.task_question_key for row in rows]),
            response_keys=_keys([row.response_key for row in rows]),
            loose_response_keys=_keys([row.loose_response_key for row in rows]),
            prompt_keys=_keys([row.prompt_key for row in rows]),
            rag_samples=_keys([row.rag_sample for row in rows]),
            sft_samples=_keys([row.sft_sample for row in rows]),
            refusals=list(known),
            rag_refusals=of_rag,
            sft_refusals=of_sft,
            preference_refusals=of_preference,
            choose_refusals=of_choice,
            validation=bytes([row.is_validation for row in rows]),
            turns=column("I", [row.turns for row in rows]),
            tokens=column("Q", [row.tokens for row in rows]),
            personal=column("Q", [row.personal for row in rows]),
            fields=column("Q", [row.fields for row in rows]),
            turn_keys=few(row.turn_keys for row in rows),
            weights=few(row.weights for row in rows),
            bands=few(row.bands for row in rows),
            evaluation_facts=few(row.evaluation_facts for row in rows),
        )

    @property
    def rows(self) -> int:
        return len(self.run_ids)

    @property
    def lines(self) -> int:
        return len(self.line_numbers) // 8

    def section_start(self, section: int) -> int:
        return sum(self.section_bytes[:section])

    def origin(self, line: int) -> LineOrigin:
        return self.line_origins[line] if self.line_origins else _OWN

    def places(self, line: int) -> list[LinePlace]:
        """Every source line that the ``line``-th entry is made of."""
        origin = self.origin(line)
        at = numbers("Q", self.line_numbers)[line], numbers("Q", self.line_offsets)[line]
        return origin.members or [(origin.source_file, *at)]

    def lines_of_rows(self) -> Sequence[int]:
        """The line of each row, as its ordinal in the chunk."""
        counts = numbers("I", self.line_rows).tolist()
        if len(counts) == self.rows and counts.count(1) == len(counts):
            return range(self.rows)
        return [line for line, count in enumerate(counts) for _ in range(count)]

    def rows_without(self, lines: Container[int]) -> Sequence[int]:
        """The ordinals of the rows that are not of ``lines``."""
        if not lines:
            return range(self.rows)
        return [row for row, line in enumerate(self.lines_of_rows()) if line not in lines]


KEY_BYTES = 16
DIGEST_BYTES = 32
_OWN = LineOrigin("", 0, [])


def column(code: str, values: Iterable[float]) -> bytes:
    """Numbers of one C type (a code of ``array``), one behind the other."""
    return array(code, values).tobytes()


def numbers(code: str, data: bytes) -> memoryview[Any]:
    """The numbers of a column that was made with the same ``code``."""
    return memoryview(data).cast(code)  # type: ignore[call-overload, no-any-return]


def cut(data: bytes, width: int = KEY_BYTES) -> list[bytes]:
    """The values of a column of keys or digests."""
    return [data[at : at + width] for at in range(0, len(data), width)]


def _keys(keys: Iterable[bytes]) -> bytes:
    return b"".join([key or _NO_KEY for key in keys])


_NO_KEY = bytes(KEY_BYTES)


def _digests_by_section(rows: Iterable[RowEntry]) -> tuple[bytes, bytes, bytes, bytes]:
    columns: tuple[list[bytes], list[bytes], list[bytes], list[bytes]] = ([], [], [], [])
    for row in rows:
        digests = iter(cut(row.digests, DIGEST_BYTES))
        for section, length in enumerate(row.lengths):
            if length:
                columns[section].append(next(digests))
    evidence, scored, rag, sft = (b"".join(digests) for digests in columns)
    return evidence, scored, rag, sft


_CRC_BYTES = 4
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(ChunkIndex)


def encode_index(index: ChunkIndex) -> bytes:
    data = _ENCODER.encode(index)
    return zlib.crc32(data).to_bytes(_CRC_BYTES, "big") + data


def decode_index(data: bytes) -> ChunkIndex:
    """Raises ValueError when the bytes are not a whole index of this version."""
    checksum, data = data[:_CRC_BYTES], data[_CRC_BYTES:]
    if zlib.crc32(data).to_bytes(_CRC_BYTES, "big") != checksum:
        raise ValueError("the index is damaged")
    try:
        index: ChunkIndex = _DECODER.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ValueError(str(error)) from error
    if index.version != INDEX_VERSION:
        raise ValueError(f"index version {index.version}")
    return index
