"""Whether an export takes a row, once all rows are known: asked by the emitter and by ``--what-if``."""

from __future__ import annotations

from pipeline.engine.chunk_index import RAG, SFT, RowEntry
from pipeline.engine.reduce import Decisions, conflict_keys
from pipeline.stages.refusals import QuarantineReason


class RowDecision:
    """The decisions on one export's rows. Ask for every row once, in order: the first of two alike stays."""

    def __init__(self, section: int, decisions: Decisions) -> None:
        self._section = section
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
        return None
