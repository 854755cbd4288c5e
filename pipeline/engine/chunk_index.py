"""What a chunk says about its rows, without their texts: the input of the ordered reduce.

A mapped chunk is two files in the cache: ``*.rows`` holds the rows' bytes in sections
(evidence, scored, rag, sft; each row ends in a newline and carries no ``recorded_at``), and
``*.index`` holds one entry a line and a row. The index is renamed into place last, so a chunk
is done exactly when its index is there. Encoding is MessagePack, typed on both sides, behind
the CRC-32 of its bytes: a flipped bit would often still decode, to other numbers.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import msgspec

from pipeline.contracts.categories import CATEGORIES

# A count of rows that are exported all the same, and of which the run warns.
NOTED_MARKUP = "noted_template_markup"
INDEX_VERSION = 8

EVIDENCE, SCORED, RAG, SFT = 0, 1, 2, 3
SECTIONS = ("evidence", "scored", "rag", "sft")

NOT_SCORED = -1
CATEGORY_CODE = {name: code for code, name in enumerate(CATEGORIES)}


def pack_refusal(reason: str, detail: str = "") -> str:
    """A refusal in one text: the permanent code, and what it leaves open. Never text of the run."""
    return f"{reason}\0{detail}" if detail else str(reason)


def unpack_refusal(packed: str) -> tuple[str, str]:
    reason, _, detail = packed.partition("\0")
    return reason, detail


class RowEntry(msgspec.Struct, array_like=True, gc=False):
    """One evidence row. Lengths are bytes in the sections, 0 for a row that was not made there.

    ``digests`` is the concatenation of the sha256 of the evidence, scored, rag and sft row as
    far as they exist. Keys are 16 bytes, empty where the text does not exist. ``evaluation_facts`` are those
    of ``pipeline.evaluation.overlap``.
    """

    run_id: str
    task_id: str
    part: int
    category: int
    score: float
    lengths: tuple[int, int, int, int]
    digests: bytes
    task_key: bytes = b""
    rag_refusal: str = ""
    sft_refusal: str = ""
    preference_refusal: str = ""
    question_key: bytes = b""
    task_question_key: bytes = b""
    response_key: bytes = b""
    loose_response_key: bytes = b""
    prompt_key: bytes = b""
    turn_keys: bytes = b""
    is_conversation: bool = False
    rag_sample: bytes = b""
    sft_sample: bytes = b""
    evaluation_facts: bytes = b""
    turns: int = 0
    tokens: int = 0
    personal: int = 0
    """One bit a kind of personal data (``stages.personal.KINDS``)."""
    choose_refusal: str = ""
    """Why the run may stand in a pair, but not as its better side."""
    fields: int = 0
    """Which evidence fields have a value (``contracts.evidence_fields.mask_of``)."""
    bands: bytes = b""
    """Of an SFT row, where near-duplicates are looked for: those of ``pipeline.engine.likeness``."""
    is_validation: bool = False
    """Whether rows of the run's question go to the split ``validation``."""
    weights: bytes = b""
    """What each turn counts in training (``stages.text_keys.weights_of``)."""


LinePlace = tuple[str, int, int]
"""A source line: its file (empty for the chunk's own), number and byte offset."""


class LineEntry(msgspec.Struct, array_like=True, gc=False):
    """One mapped source line: 1-based number, byte offset, sha256, and its evidence rows.

    ``source_file`` is empty when it is the chunk's own. Of a group, these are the first line's but
    for the digest, and ``members`` are all its lines; ``order`` is its place in the chunk, which
    lines of one file have by their numbers.
    """

    line: int
    byte_offset: int
    sig_hash: bytes
    rows: list[RowEntry]
    source_file: str = ""
    order: int = 0
    members: list[LinePlace] = []

    @property
    def places(self) -> list[LinePlace]:
        """Every source line that it is made of."""
        return self.members or [(self.source_file, self.line, self.byte_offset)]


class SkipEntry(msgspec.Struct, array_like=True, gc=False):
    """One line that gave no evidence. ``detail`` never holds the data raw."""

    line: int
    byte_offset: int
    reason: str
    detail: str
    source_file: str = ""
    order: int = 0


class ChunkIndex(msgspec.Struct, array_like=True):
    """All entries of one chunk. ``section_bytes`` are the lengths of the sections of ``*.rows``."""

    version: int
    boot_id: str
    lines_read: int
    section_bytes: tuple[int, int, int, int]
    lines: list[LineEntry]
    skips: list[SkipEntry]
    counts: dict[str, int]

    @classmethod
    def made_of(
        cls,
        sections: Sequence[bytes],
        *,
        lines_read: int,
        lines: list[LineEntry],
        skips: list[SkipEntry],
        counts: dict[str, int],
    ) -> ChunkIndex:
        """The index of a chunk whose rows are in four ``sections``."""
        evidence, scored, rag, sft = map(len, sections)
        return cls(INDEX_VERSION, "", lines_read, (evidence, scored, rag, sft), lines, skips, counts)

    def section_start(self, section: int) -> int:
        return sum(self.section_bytes[:section])

    def digest_of_row(self, row: RowEntry, section: int) -> bytes:
        """The sha256 of ``row`` in ``section``."""
        slot = sum(1 for length in row.lengths[:section] if length)
        return row.digests[slot * 32 : slot * 32 + 32]


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
