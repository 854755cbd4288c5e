"""Whether an export takes a row, once all rows are known: asked by the emitter and by ``--what-if``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pipeline.contracts.categories import CATEGORIES
from pipeline.engine.chunk_index import RAG, SFT, RowEntry
from pipeline.engine.reduce import Decisions, conflict_keys
from pipeline.stages.refusals import QuarantineReason
from pipeline.stages.row_limits import Drops, LimitedRow, Place, rows_to_hold
from pipeline.stages.scoring_rules import RANK

if TYPE_CHECKING:
    # Not at run time: P2 alone must not need an exporter.
    from pipeline.stages.export_options import ExportOptions

PlacedRow = tuple[Place, str, RowEntry]
"""Where a row lies, its stream, and what is known of it."""
Held = Mapping[Place, str]
"""The rows that the limits of an export keep out."""


def held_rows(
    section: int,
    decisions: Decisions,
    rows: Callable[[], Iterable[PlacedRow]],
    options: ExportOptions,
    near_duplicates: Drops | None = None,
) -> Held:
    """The rows that others keep out of the export. ``rows`` gives all rows anew, in order, each time.

    ``near_duplicates`` finds those of SFT rows; a playbook is looked up by its task, whatever others say.
    """

    def left() -> Iterator[LimitedRow]:
        decision = RowDecision(section, decisions, {})
        for place, stream, row in rows():
            # What only a missing wall lets through has no rank; no limit hides it from the other walls.
            rank = RANK.get(CATEGORIES[row.category])
            if decision.refusal(row, place) is None and rank is not None:
                turn_keys = row.turn_keys if row.is_conversation else b""
                weights = row.weights if section == SFT else b""  # nobody learns from a playbook
                of_task = row.task_key, rank, row.score, row.turns
                yield LimitedRow(place, stream, row.run_id, *of_task, turn_keys, weights, row.bands)

    if section == RAG:
        return rows_to_hold(left, options.rag, of_tasks=QuarantineReason.BETTER_PLAYBOOK)
    return rows_to_hold(
        left, options.sft, of_tasks=QuarantineReason.TASK_CAP, near_duplicates=near_duplicates
    )


class RowDecision:
    """The decisions on one export's rows. Ask for every row once, in order: the first of two alike stays."""

    def __init__(self, section: int, decisions: Decisions, held: Held) -> None:
        self._section = section
        self._held = held
        self._decisions = decisions
        self._seen_samples: set[bytes] = set()

    def refusal(self, row: RowEntry, place: tuple[int, int]) -> str | None:
        """Why the row at ``place`` (chunk, ordinal in it) stays out of the export, or None."""
        of_itself, sample = (
            (row.rag_refusal, row.rag_sample) if self._section == RAG else (row.sft_refusal, row.sft_sample)
        )
        if of_itself:
            return of_itself
        conflicting = self._decisions.conflicting
        if conflicting and not conflicting.isdisjoint(conflict_keys(row)):
            return str(QuarantineReason.CONFLICTING_VERDICT)
        # Retrieval may quote a test question; training on it is what makes the test worthless.
        if self._section == SFT and (overlap := self._decisions.overlapping.get(place)):
            return overlap
        if sample in self._seen_samples:
            return str(QuarantineReason.DUPLICATE_SAMPLE)
        self._seen_samples.add(sample)
        return self._held.get(place) if self._held else None
