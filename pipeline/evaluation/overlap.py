"""Which rows hold items of evaluation sets, decided from facts that workers found row by row.

A worker notes which n-grams of which items a row holds (``Matcher.facts``); the texts stay there.
What is common to many tasks says nothing, and only the ordered reduce sees all tasks: it counts
them and then judges (``Overlaps``). Rules and figures: ``docs/exports.md``.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.evaluation.sets import GRAM, EvaluationIndex, Side, Table, Target
from pipeline.evaluation.tokens import tokens

# A row is refused when n-grams that it shares with an item cover this share of the item's side.
REFUSED_COVERAGE = 0.5
# Of n-grams that stand in more tasks than both, none counts: they are phrases of the trade.
COMMON_TASKS = 10
COMMON_SHARE = 0.01
LONG_GRAM = 13

RowName = tuple[int, int]  # chunk, ordinal of the row in it


class Matcher:
    """Finds in a row's texts what the index holds."""

    def __init__(self, index: EvaluationIndex) -> None:
        self._index = index

    def facts(self, asked: Iterable[str], answered: Iterable[str]) -> bytes:
        """What of the index's items stands in the texts of the user's and the assistant's turns.

        32-bit numbers in ascending order, empty when nothing does: ids of n-grams, then behind
        them targets of which a run of 13 tokens was found, then targets that were found whole.
        """
        grams: set[int] = set()
        long: set[int] = set()
        whole: set[int] = set()
        self._search("prompt", asked, grams, long, whole)
        self._search("answer", answered, grams, long, whole)
        if not grams and not whole:
            return b""
        index = self._index
        found = [*grams, *(index.long_fact(target) for target in long)]
        found += (index.whole_fact(target) for target in whole)
        return array("I", sorted(found)).tobytes()

    def _search(
        self, side: Side, texts: Iterable[str], grams: set[int], long: set[int], whole: set[int]
    ) -> None:
        wanted = [table for table in self._index.tables if table.side == side]
        if not wanted:
            return
        for text in texts:
            for table in wanted:
                cut = tokens(text, table.kind)
                if len(cut) in table.whole_tokens:
                    whole.update(table.whole.get(" ".join(cut), ()))
                at = _grams_at(table, cut)
                grams.update(at.values())
                long.update(self._long_runs(at))

    def _long_runs(self, at: dict[int, int]) -> Iterator[int]:
        """Targets of which the text holds 13 tokens in a row: its first and its last eight do."""
        step = LONG_GRAM - GRAM
        for position, gram in at.items():
            later = at.get(position + step)
            if later is None:
                continue
            ends = set(self._index.places[later])
            for target, place in self._index.places[gram]:
                if (target, place + step) in ends:
                    yield target


def _grams_at(table: Table, cut: list[str]) -> dict[int, int]:
    """Where a text cut into tokens holds n-grams of ``table``: position of the first token → id.

    Of all tokens only the rare ones are looked at, and around those the text: most texts have none.
    """
    rare, ids = table.rare, table.grams
    at: dict[int, int] = {}
    if rare.keys().isdisjoint(cut):
        return at
    last = len(cut) - GRAM
    for position, token in enumerate(cut):
        if token in rare:
            for place in rare[token]:
                start = position - place
                if 0 <= start <= last:
                    gram = ids.get(" ".join(cut[start : start + GRAM]))
                    if gram is not None:
                        at[start] = gram
    return at


class Overlap(NamedTuple):
    """What one row shares with one side of one item. ``coverage`` is from 0 to 1."""

    target: Target
    coverage: float
    long_gram: bool
    whole: bool

    @property
    def is_refused(self) -> bool:
        return self.whole or self.coverage >= REFUSED_COVERAGE


@dataclass
class Overlaps:
    """Collects the facts of all rows, in order, and judges them once all tasks are known."""

    index: EvaluationIndex
    _facts: dict[RowName, tuple[str, bytes]] = field(default_factory=dict)
    _tasks_of_gram: dict[int, set[bytes]] = field(default_factory=dict)
    common_grams: int = 0

    def add(self, row: RowName, run_id: str, facts: bytes) -> None:
        """A row that is to be judged by its facts; rows without any need not be given."""
        self._facts[row] = (run_id, facts)

    def count(self, task_key: bytes, facts: bytes) -> None:
        """The task of a row, also of one that is no example: what many tasks hold says nothing."""
        for fact in array("I", facts):
            if fact < self.index.gram_count:
                self._tasks_of_gram.setdefault(fact, set()).add(task_key)

    def finish(self, tasks: int) -> dict[RowName, tuple[str, list[Overlap]]]:
        """For each row that shares something worth telling: its run id and overlaps, the worst first.

        ``tasks`` is the number of tasks in the run.
        """
        limit = max(COMMON_TASKS, COMMON_SHARE * tasks)
        common = {gram for gram, of_tasks in self._tasks_of_gram.items() if len(of_tasks) > limit}
        self.common_grams = len(common)
        judged: dict[RowName, tuple[str, list[Overlap]]] = {}
        for row, (run_id, facts) in self._facts.items():
            overlaps = self._judge(facts, common)
            if overlaps:
                judged[row] = (run_id, overlaps)
        return judged

    def _judge(self, facts: bytes, common: set[int]) -> list[Overlap]:
        index = self.index
        covered: dict[int, set[int]] = {}
        long: set[int] = set()
        whole: set[int] = set()
        for fact in array("I", facts):
            if fact < index.gram_count:
                if fact in common:
                    continue
                for number, place in index.places[fact]:
                    covered.setdefault(number, set()).update(range(place, place + GRAM))
            elif fact < index.gram_count + len(index.targets):
                long.add(fact - index.gram_count)
            else:
                whole.add(fact - index.gram_count - len(index.targets))
        overlaps = []
        for number in sorted(covered.keys() | whole):
            target = index.targets[number]
            share = len(covered.get(number, ())) / target.tokens
            overlap = Overlap(target, 1.0 if number in whole else share, number in long, number in whole)
            if overlap.is_refused or overlap.long_gram:
                overlaps.append(overlap)
        # Sorting is stable: of two that are as bad, the one that was declared first leads.
        return sorted(overlaps, key=lambda overlap: -overlap.coverage)


def refusal_detail(overlap: Overlap) -> str:
    """Set, item and share, as the quarantine's row says it: no text of the item."""
    target = overlap.target
    return f"{target.set_name}:{target.line} {target.side}, {overlap.coverage:.0%}"


def counts_by_set(judged: Iterable[list[Overlap]]) -> Counter[str]:
    """Rows that are refused, by the set that refused them."""
    return Counter(overlaps[0].target.set_name for overlaps in judged if overlaps[0].is_refused)
