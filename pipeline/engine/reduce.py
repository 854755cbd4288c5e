"""What needs all rows, in order: duplicate lines, conflicting verdicts, preference pairs.

Chunks are mapped in any order and by any number of workers; their indexes arrive here in the
order of the sources, so what is decided does not depend on either. Texts never come here, only
16-byte keys. Memory is that of the row index: measured in docs/benchmarks.md, in bytes a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.contracts.categories import CATEGORIES
from pipeline.engine.candidates import packed, place_of, unpacked
from pipeline.engine.chunk_entries import CATEGORY_CODE, NOT_SCORED, NOTED_MARKUP, pack_refusal
from pipeline.engine.chunk_index import DIGEST_BYTES, ChunkIndex, cut, numbers
from pipeline.engine.pass_rate import PassRateCounter
from pipeline.evaluation.overlap import Overlaps, refusal_detail
from pipeline.evaluation.report import decontamination_report
from pipeline.evaluation.sets import EvaluationIndex
from pipeline.settings.model import ExportSettings
from pipeline.stages.pairing import PairOptions, PreferenceCandidate, choose_pairs
from pipeline.stages.refusals import QuarantineReason

_CONFLICT_BYTES = 16
_ACCEPTED, _REJECTED = CATEGORY_CODE["accepted"], CATEGORY_CODE["rejected"]
_IN_REVIEW = CATEGORY_CODE["needs_human_review"]


@dataclass
class Decisions:
    """What the reduce decided; the emitters follow it. Ordinals of rows and lines are counted in a chunk."""

    duplicate_lines: dict[int, set[int]] = field(default_factory=dict)
    conflicting: set[bytes] = field(default_factory=set)
    # Chosen and rejected run of each pair, as ``candidates`` packs them.
    pairs: list[tuple[bytes, bytes]] = field(default_factory=list)
    pair_tasks: list[bytes] = field(default_factory=list)
    """The task key of each pair."""
    unpaired: dict[tuple[int, int], str] = field(default_factory=dict)
    # Rows that hold items of evaluation sets, with their refusal; and the report on all of them.
    overlapping: dict[tuple[int, int], str] = field(default_factory=dict)
    decontamination: dict[str, Any] = field(default_factory=dict)
    pass_rates: dict[bytes, int] = field(default_factory=dict)


def pair_options(settings: ExportSettings) -> PairOptions:
    preference = settings.preference
    return PairOptions(
        max_pairs_per_task=preference.max_pairs_per_task,
        completion=preference.completion,
        max_length_gap=preference.max_length_gap,
    )


def conflict_keys(question: bytes, in_task: bytes, strict: bytes, loose: bytes) -> Iterator[bytes]:
    """Under which keys an answer is compared: the same question or, in a task, the same turns of others
    than the system; strictly, and loosely where the answer is not code as a whole."""
    is_asked = any(question)
    for answer in (strict, loose):
        if any(answer):
            yield in_task[:8] + answer[:8]
            if is_asked:
                yield question[:8] + answer[:8]


def conflict_columns(index: ChunkIndex) -> tuple[list[bytes], list[bytes], list[bytes], list[bytes]]:
    """What ``conflict_keys`` takes, for each row of a chunk."""
    return (
        cut(index.question_keys),
        cut(index.task_question_keys),
        cut(index.response_keys),
        cut(index.loose_response_keys),
    )


class Reducer:
    """Feed it every chunk's index in order with ``add``, then ask for ``finish``."""

    def __init__(self, options: PairOptions, evaluation: EvaluationIndex) -> None:
        self._options = options
        self._overlaps = Overlaps(evaluation)
        self._task_keys: set[bytes] = set()
        self._decisions = Decisions()
        self._seen_lines: dict[str, set[bytes]] = {}
        self._rejected: set[bytes] = set()
        # Most of the keys, one behind the other: a set would take five times the memory.
        self._approved = bytearray()
        self._tasks: dict[bytes, bytearray] = {}
        self._pass_rates = PassRateCounter()
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
        seen = self._seen_lines.setdefault(stream, set())
        duplicates = _duplicates(index, seen) if role != "evidence" else set()
        sizes = [len(origin.members) or 1 for origin in index.line_origins] or [1] * index.lines
        dropped = sum(sizes[line] for line in duplicates)
        if duplicates:
            self._decisions.duplicate_lines[number] = duplicates
            counts["skipped"] += dropped
            reasons["duplicate_line"] += dropped
        counts["looked_up" if role == "lookup" else "mapped"] += sum(sizes) - dropped
        rows = index.rows_without(duplicates)
        counts["evidence"] += len(rows)
        masks = numbers("Q", index.fields)
        self.fields.setdefault(stream, Counter()).update(masks[row] for row in rows)
        self._add_verdicts(number, index, rows, counts)
        for task_key, record in packed(number, index, rows):
            self._tasks.setdefault(task_key, bytearray()).extend(record)

    def _add_verdicts(
        self, number: int, index: ChunkIndex, rows: Sequence[int], counts: Counter[str]
    ) -> None:
        """Who was accepted and rejected: for the counts, the conflicts, the pass rates and overlaps."""
        codes = numbers("b", index.categories)
        for code, count in Counter(codes[row] for row in rows if codes[row] != NOT_SCORED).items():
            counts[CATEGORIES[code]] += count
        tasks = cut(index.task_keys)
        keys = conflict_columns(index)
        questions, in_tasks, answers, loosely = keys
        for row in rows:
            code = codes[row]
            if code in (NOT_SCORED, _IN_REVIEW):
                continue
            compared = conflict_keys(questions[row], in_tasks[row], answers[row], loosely[row])
            if code == _REJECTED:
                self._rejected.update(compared)
            else:
                self._approved += b"".join(compared)
            self._pass_rates.add(tasks[row], is_accepted=code == _ACCEPTED)
        if self._overlaps.index.sets:
            self._add_overlaps(number, index, rows)

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
        """Decide conflicts and pairs. Tasks come in the order of their first attempt."""
        decisions = self._decisions
        approved = (
            bytes(self._approved[at : at + _CONFLICT_BYTES])
            for at in range(0, len(self._approved), _CONFLICT_BYTES)
        )
        decisions.conflicting = {key for key in approved if key in self._rejected}
        self._rejected, self._approved = set(), bytearray()
        self._seen_lines = {}
        judged = self._overlaps.finish(len(self._task_keys))
        for place, (_, overlaps) in judged.items():
            if overlaps[0].is_refused:
                decisions.overlapping[place] = pack_refusal(
                    QuarantineReason.EVALUATION_OVERLAP, refusal_detail(overlaps[0])
                )
        decisions.decontamination = decontamination_report(self._overlaps, list(judged.values()))
        for task_key in list(self._tasks):
            # One by one out of the index, while the pairs grow.
            self._pair(task_key, bytes(self._tasks.pop(task_key)))
        decisions.pass_rates = self._pass_rates.finish()
        return decisions

    def _pair(self, task_key: bytes, records: bytes) -> None:
        candidates: list[PreferenceCandidate] = []
        record_of: dict[str, bytes] = {}
        conflicting: set[str] = set()
        decisions = self._decisions
        for candidate, record in unpacked(records):
            if (overlap := decisions.overlapping.get(candidate.place)) is not None:
                decisions.unpaired[candidate.place] = overlap
                continue
            record_of[candidate.run_id] = record
            if not decisions.conflicting.isdisjoint(conflict_keys(*candidate.compared)):
                conflicting.add(candidate.run_id)
            candidates.append(candidate.in_task(task_key))
        some_passed = self._pass_rates.some_passed(task_key)
        pairs, unused = choose_pairs(candidates, self._options, conflicting, some_passed=some_passed)
        for pair in pairs:
            decisions.pairs.append((record_of[pair.chosen_run_id], record_of[pair.rejected_run_id]))
            decisions.pair_tasks.append(task_key)
        for run in unused:
            # "no_counterpart" is what most runs end with; it is the rule, so only the rest is kept.
            if run.reason != "no_counterpart":
                decisions.unpaired[place_of(record_of[run.run_id])] = str(run.reason)


def _duplicates(index: ChunkIndex, seen: set[bytes]) -> set[int]:
    """The lines that were ``seen`` before, in this chunk or an earlier one; the others are seen now."""
    # 16 of the 32 bytes: two different lines would have to share 128 bits.
    data = index.sig_hashes
    lines = [data[at : at + 16] for at in range(0, len(data), DIGEST_BYTES)]
    if len(set(lines)) == len(lines) and seen.isdisjoint(lines):
        seen.update(lines)
        return set()
    duplicates = set()
    for number, line in enumerate(lines):
        if line in seen:
            duplicates.add(number)
        seen.add(line)
    return duplicates
