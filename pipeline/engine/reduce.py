"""What needs all rows, in order: duplicate lines, conflicting verdicts, preference pairs.

Chunks are mapped in any order and by any number of workers; their indexes arrive here in the
order of the sources, so what is decided does not depend on either. Texts never come here, only
16-byte keys: those of lines stay in memory, what is known of rows waits in partitions (``spool``)
that are reduced one at a time. What grows with what: docs/scaling.md.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.contracts.categories import CATEGORIES
from pipeline.engine.candidates import by_task, packed, place_of, unpacked
from pipeline.engine.chunk_entries import CATEGORY_CODE, NOT_SCORED, NOTED_MARKUP, pack_refusal
from pipeline.engine.chunk_index import DIGEST_BYTES, KEY_BYTES, ChunkIndex, cut, numbers
from pipeline.engine.conflicts import ConflictSearch
from pipeline.engine.key_set import KeySet
from pipeline.engine.pairs import Pairs
from pipeline.engine.pass_rate import PassRateCounter, PassRates
from pipeline.engine.row_marks import RowMarks
from pipeline.engine.spool import Spool
from pipeline.evaluation.overlap import Overlaps, refusal_detail
from pipeline.evaluation.report import decontamination_report
from pipeline.evaluation.sets import EvaluationIndex
from pipeline.settings.model import ExportSettings
from pipeline.stages.pairing import PairOptions, PreferenceCandidate, choose_pairs
from pipeline.stages.refusals import QuarantineReason

_IN_REVIEW = CATEGORY_CODE["needs_human_review"]


@dataclass
class Decisions:
    """What the reduce decided; the emitters follow it. Ordinals of rows and lines are counted in a chunk."""

    duplicate_lines: dict[int, array[int]] = field(default_factory=dict)
    """Of each chunk that has any, in order."""
    conflicting: RowMarks[bool] = field(default_factory=RowMarks)
    """The rows whose answer has both verdicts."""
    pairs: Pairs = field(default_factory=lambda: Pairs(Spool(None)))
    unpaired: RowMarks[str] = field(default_factory=RowMarks)
    # Rows that hold items of evaluation sets, with their refusal; and the report on all of them.
    overlapping: dict[tuple[int, int], str] = field(default_factory=dict)
    decontamination: dict[str, Any] = field(default_factory=dict)
    pass_rates: PassRates = field(default_factory=RowMarks)

    def dropped_lines(self, chunk: int) -> frozenset[int]:
        """The lines of a chunk that were there before, in it or in an earlier one."""
        return frozenset(self.duplicate_lines.get(chunk, ()))


def pair_options(settings: ExportSettings) -> PairOptions:
    preference = settings.preference
    return PairOptions(
        max_pairs_per_task=preference.max_pairs_per_task,
        completion=preference.completion,
        max_length_gap=preference.max_length_gap,
    )


class Reducer:
    """Feed it every chunk's index in order with ``add``, then ask for ``finish``."""

    def __init__(
        self, options: PairOptions, evaluation: EvaluationIndex, scratch: Path | None = None
    ) -> None:
        """``scratch`` is a folder for what memory does not hold; without one, memory holds it all."""

        def spool(name: str) -> Spool:
            return Spool(None if scratch is None else scratch / name)

        self._options = options
        self._overlaps = Overlaps(evaluation)
        self._task_keys = KeySet()
        self._decisions = Decisions(pairs=Pairs(spool("pairs")))
        self._seen_lines: dict[str, KeySet] = {}
        self._conflicts = ConflictSearch(spool("answers"))
        self._pass_rates = PassRateCounter(spool("judged"))
        self._candidates = spool("candidates")
        self.counts: dict[str, Counter[str]] = {}
        self.skip_reasons: dict[str, Counter[str]] = {}
        self.fields: dict[str, Counter[int]] = {}
        """Stream → which fields a row has, as a mask → rows."""
        self.noted: Counter[str] = Counter()
        """What the workers noted of rows that are exported all the same, by ``row_builder``'s names."""

    def add(self, number: int, stream: str, role: str, index: ChunkIndex) -> None:
        """Take in the ``number``-th chunk. Duplicates are per stream, the first one is kept.

        Chunks of written evidence (role ``evidence``) have had their duplicates taken out.
        """
        counts = self.counts.setdefault(stream, Counter())
        reasons = self.skip_reasons.setdefault(stream, Counter())
        self.noted[NOTED_MARKUP] += index.counts.get(NOTED_MARKUP, 0)
        counts["lines"] += index.lines_read
        counts["skipped"] += len(index.skips)
        reasons.update(skip.reason for skip in index.skips)
        seen = self._seen_lines.setdefault(stream, KeySet())
        duplicates = _duplicates(index, seen) if role != "evidence" else []
        sizes = [len(origin.members) or 1 for origin in index.line_origins] or [1] * index.lines
        dropped = sum(sizes[line] for line in duplicates)
        if duplicates:
            self._decisions.duplicate_lines[number] = array("I", duplicates)
            counts["skipped"] += dropped
            reasons["duplicate_line"] += dropped
        counts["looked_up" if role == "lookup" else "mapped"] += sum(sizes) - dropped
        rows = index.rows_without(frozenset(duplicates))
        counts["evidence"] += len(rows)
        masks = numbers("Q", index.fields)
        self.fields.setdefault(stream, Counter()).update(masks[row] for row in rows)
        codes = numbers("b", index.categories)
        for code, count in Counter(codes[row] for row in rows if codes[row] != NOT_SCORED).items():
            counts[CATEGORIES[code]] += count
        self._conflicts.add(number, index, rows)
        self._pass_rates.add(number, index, rows)
        if self._overlaps.index.sets:
            self._add_overlaps(number, index, rows)
        for record in packed(number, index, rows):
            self._candidates.of_byte[record[0]] += record
        self._candidates.settle()

    def _add_overlaps(self, number: int, index: ChunkIndex, rows: Sequence[int]) -> None:
        codes, tasks = numbers("b", index.categories), cut(index.task_keys)
        for row in rows:
            if codes[row] == NOT_SCORED:
                continue
            self._task_keys.add(tasks[row])
            facts = index.evaluation_facts.get(row)
            if facts:
                self._overlaps.count(tasks[row], facts)
                if codes[row] != _IN_REVIEW:
                    self._overlaps.add((number, row), index.run_ids[row], facts)

    def finish(self) -> Decisions:
        """Decide conflicts and pairs. Raises StorageError."""
        decisions = self._decisions
        self._seen_lines = {}
        decisions.conflicting = self._conflicts.finish()
        judged = self._overlaps.finish(len(self._task_keys))
        for place, (_, overlaps) in judged.items():
            if overlaps[0].is_refused:
                decisions.overlapping[place] = pack_refusal(
                    QuarantineReason.EVALUATION_OVERLAP, refusal_detail(overlaps[0])
                )
        decisions.decontamination = decontamination_report(self._overlaps, list(judged.values()))
        partitions = zip(self._pass_rates.take(decisions.pass_rates), self._candidates.take(), strict=True)
        for number, (passed, records) in enumerate(partitions):
            for task, of_task in by_task(records).items():
                self._pair(number, bytes(of_task), some_passed=task in passed)
            decisions.pairs.settle()
        return decisions

    def _pair(self, partition: int, records: bytes, *, some_passed: bool) -> None:
        """Choose the pairs of one task. Tasks of a partition come in the order of their first attempts."""
        candidates: list[PreferenceCandidate] = []
        record_of: dict[str, bytes] = {}
        conflicting: set[str] = set()
        decisions = self._decisions
        for candidate, record in unpacked(records):
            place = candidate.place
            if (overlap := decisions.overlapping.get(place)) is not None:
                decisions.unpaired[place] = overlap
                continue
            record_of[candidate.run_id] = record
            if place in decisions.conflicting:
                conflicting.add(candidate.run_id)
            candidates.append(candidate.for_pairing())
        pairs, unused = choose_pairs(candidates, self._options, conflicting, some_passed=some_passed)
        for pair in pairs:
            runs = record_of[pair.chosen_run_id], record_of[pair.rejected_run_id]
            decisions.pairs.put(partition, place_of(records), runs)
        for run in unused:
            # "no_counterpart" is what most runs end with; it is the rule, so only the rest is kept.
            if run.reason != "no_counterpart":
                decisions.unpaired[place_of(record_of[run.run_id])] = str(run.reason)


def _duplicates(index: ChunkIndex, seen: KeySet) -> list[int]:
    """The lines that were ``seen`` before, in this chunk or an earlier one; the others are seen now."""
    # 16 of the 32 bytes: two different lines would have to share 128 bits.
    data, add = index.sig_hashes, seen.add
    lines = (data[at : at + KEY_BYTES] for at in range(0, len(data), DIGEST_BYTES))
    return [number for number, line in enumerate(lines) if not add(line)]
