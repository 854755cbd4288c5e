"""What the stages say of a line and of a row, as a chunk's index takes it in (``chunk_index``)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pipeline.contracts.categories import CATEGORIES

# A count of rows that are exported all the same, and of which the run warns.
NOTED_MARKUP = "noted_template_markup"
EVIDENCE, SCORED, RAG, SFT = 0, 1, 2, 3
SECTIONS = ("evidence", "scored", "rag", "sft")
Sections = Sequence[bytes | bytearray]
"""The rows of a chunk, as bytes: those of each of ``SECTIONS``."""

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


class SkipEntry(msgspec.Struct, array_like=True, gc=False):
    """One line that gave no evidence. ``detail`` never holds the data raw."""

    line: int
    byte_offset: int
    reason: str
    detail: str
    source_file: str = ""
    order: int = 0


class LineOrigin(msgspec.Struct, array_like=True, gc=False):
    """Of a line that is not simply the chunk's next one: what ``LineEntry`` says of it."""

    source_file: str
    order: int
    members: list[LinePlace]
