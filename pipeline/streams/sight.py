"""What the rows of a stream would come to: how full their fields are, their categories, tasks and attempts.

Counted while the rows pass by; of a task only keys are held.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pipeline.contracts.evidence_fields import mask_of, rows_by_field
from pipeline.settings.model import ScoringSettings
from pipeline.stages.score import UnscorableError, score

# A stream of so few rows may well be about one task.
_MANY_ROWS = 10
_KEY_BYTES = 12


@dataclass
class Sight:
    """``attempts`` is how many rows a task has → how many tasks have so many."""

    rows: int = 0
    masks: Counter[int] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    _rows_of_task: Counter[bytes] = field(default_factory=Counter)
    _first_question: dict[bytes, bytes] = field(default_factory=dict)
    _asked_differently: set[bytes] = field(default_factory=set)

    def add(self, row: dict[str, Any], thresholds: ScoringSettings) -> None:
        self.rows += 1
        self.masks[mask_of(row)] += 1
        try:
            self.categories[score(row, thresholds)["category"]] += 1
        except UnscorableError as refused:
            self.categories[f"not scored: {refused.reason}"] += 1
        task = _key(row["task_id"])
        self._rows_of_task[task] += 1
        question = _key(_question(row))
        if self._first_question.setdefault(task, question) != question:
            self._asked_differently.add(task)

    @property
    def fill(self) -> dict[str, int]:
        """Field → rows that have it."""
        return rows_by_field(self.masks)

    @property
    def tasks(self) -> int:
        return len(self._rows_of_task)

    @property
    def attempts(self) -> dict[int, int]:
        return dict(sorted(Counter(self._rows_of_task.values()).items()))

    @property
    def asked_differently(self) -> int:
        """Tasks whose rows do not all ask the same: their ids may be those of several tasks."""
        return len(self._asked_differently)

    @property
    def has_one_task_only(self) -> bool:
        """Whether the id is most likely no task's, but a data set's or a run's."""
        return self.tasks == 1 and self.rows >= _MANY_ROWS and bool(self._asked_differently)


def _question(row: dict[str, Any]) -> str:
    """What the model was asked: the instruction, or else the first turn of a user."""
    if row["instruction"] is not None:
        return str(row["instruction"])
    asked = (turn.get("content") for turn in row["messages"] or () if turn["role"] == "user")
    return str(next(asked, None) or "")


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:_KEY_BYTES]
