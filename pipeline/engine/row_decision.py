"""Whether an export takes a row, once all rows are known: asked by the emitter and by ``--what-if``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.contracts.categories import CATEGORIES
from pipeline.engine.chunk_entries import RAG, SFT
from pipeline.engine.chunk_index import KEY_BYTES, ChunkIndex, cut, numbers
from pipeline.engine.key_set import KeySet
from pipeline.engine.reduce import Decisions
from pipeline.engine.row_marks import RowMarks
from pipeline.engine.task_groups import grouped_by_task
from pipeline.stages.refusals import QuarantineReason
from pipeline.stages.row_limits import Drops, LimitedRow, rows_to_hold
from pipeline.stages.scoring_rules import RANK

if TYPE_CHECKING:
    # Not at run time: P2 alone must not need an exporter.
    from pipeline.stages.export_options import ExportOptions

Held = RowMarks[str]
"""The rows that others keep out of an export: one that is there already, or the limits."""
_CUT_OFF = (QuarantineReason.TRUNCATED, QuarantineReason.ENVIRONMENT_ERROR)
NO_ROW = ""
"""In the place of a refusal: the row is of a line that is there twice, and no export mentions it."""


@dataclass(frozen=True)
class DecidedChunk:
    """A chunk's number, its stream, what is known of its rows, and its lines that were there before."""

    number: int
    stream: str
    index: ChunkIndex
    dropped: Set[int]


def held_rows(
    section: int,
    decisions: Decisions,
    chunks: Callable[[], Iterable[DecidedChunk]],
    options: ExportOptions,
    near_duplicates: Drops | None = None,
    scratch: Path | None = None,
) -> Held:
    """The rows that others keep out of the export. ``chunks`` gives all chunks anew, in order, each time:
    of two samples that are alike the first one stays.

    ``scratch`` is a file for what memory does not hold.
    """
    left_in: dict[int, bytes] = {}
    held: Held = RowMarks()
    by_itself = RowDecision(section, decisions, RowMarks())

    def decided() -> Iterator[tuple[DecidedChunk, bytes]]:
        """Each chunk, and which of its rows are left, one byte a row: decided once, by the first that asks,
        who asks for all. What it has seen goes when it is done: the limits need the room."""
        seen_samples = KeySet()
        for chunk in chunks():
            if chunk.number not in left_in:
                left_in[chunk.number] = _left(section, chunk, by_itself.refusals(chunk), seen_samples, held)
            yield chunk, left_in[chunk.number]

    def left() -> Iterator[LimitedRow]:
        for chunk, is_left in decided():
            yield from _limited(section, chunk, (row for row, left in enumerate(is_left) if left))

    def conversations() -> Iterator[LimitedRow]:
        for chunk, is_left in decided():
            yield from _limited(section, chunk, (row for row in chunk.index.turn_keys if is_left[row]))

    of_rag = section == RAG
    rows_to_hold(
        left,
        options.rag if of_rag else options.sft,
        of_tasks=QuarantineReason.BETTER_PLAYBOOK if of_rag else QuarantineReason.TASK_CAP,
        near_duplicates=near_duplicates,
        conversations=conversations,
        by_task=grouped_by_task(scratch),
        held=held,
    )
    return held


def _left(
    section: int, chunk: DecidedChunk, refusals: list[str | None], seen_samples: KeySet, held: Held
) -> bytes:
    """The rows that only a limit could keep out; those whose sample was seen before are in ``held`` then."""
    index = chunk.index
    samples = cut(index.rag_samples if section == RAG else index.sft_samples)
    # What only a missing wall lets through has no rank; no limit hides it from the other walls.
    has_rank = [CATEGORIES[code] in RANK for code in numbers("b", index.categories)]
    left = bytearray(index.rows)
    for row, refusal in enumerate(refusals):
        if refusal is not None:
            continue
        if seen_samples.add(samples[row]):
            left[row] = has_rank[row]
        else:
            held[chunk.number, row] = str(QuarantineReason.DUPLICATE_SAMPLE)
    return bytes(left)


def _limited(section: int, chunk: DecidedChunk, rows: Iterable[int]) -> Iterator[LimitedRow]:
    index = chunk.index
    codes, scores, turns = (
        numbers("b", index.categories),
        numbers("d", index.scores),
        numbers("I", index.turns),
    )
    tasks = index.task_keys
    # What SFT never takes for that, a playbook may be made of, when there is no better one.
    cut_off = {number for number, refusal in enumerate(index.refusals) if refusal in _CUT_OFF}
    unfit = numbers("I", index.sft_refusals) if cut_off else ()
    for row in rows:
        yield LimitedRow(
            (chunk.number, row),
            chunk.stream,
            index.run_ids[row],
            tasks[KEY_BYTES * row : KEY_BYTES * row + KEY_BYTES],
            RANK[CATEGORIES[codes[row]]],
            scores[row],
            turns[row],
            index.turn_keys.get(row, b""),
            # Nobody learns from a playbook.
            index.weights.get(row, b"") if section == SFT else b"",
            index.bands.get(row, b""),
            bool(cut_off) and unfit[row] in cut_off,
        )


class RowDecision:
    """The decisions on one export's rows; ``held`` are those that ``held_rows`` found."""

    def __init__(self, section: int, decisions: Decisions, held: Held) -> None:
        self._section = section
        self._held = held
        self._decisions = decisions

    def refusals(self, chunk: DecidedChunk) -> list[str | None]:
        """Why each row of a chunk stays out of the export: None for one that is taken, or ``NO_ROW``."""
        index = chunk.index
        of_rag = self._section == RAG
        codes = numbers("I", index.rag_refusals if of_rag else index.sft_refusals)
        refusals: list[str | None] = [index.refusals[code] or None for code in codes]
        if chunk.dropped:
            refusals = [
                NO_ROW if line in chunk.dropped else refusal
                for line, refusal in zip(index.lines_of_rows(), refusals, strict=True)
            ]
        is_conflicting = self._decisions.conflicting.of_chunk(chunk.number, index.rows)
        held = self._held.of_chunk(chunk.number, index.rows)
        # Retrieval may quote a test question; training on it is what makes the test worthless.
        overlapping = self._decisions.overlapping if self._section == SFT else {}
        for row, refusal in enumerate(refusals):
            if refusal is not None:
                continue
            if is_conflicting[row]:
                refusals[row] = str(QuarantineReason.CONFLICTING_VERDICT)
            else:
                refusals[row] = (overlapping and overlapping.get((chunk.number, row))) or held[row]
        return refusals
