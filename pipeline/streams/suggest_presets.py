"""Which shipped preset reads a log: each is tried on the first lines; what makes most of them wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.contracts.evidence_fields import FIELDS
from pipeline.settings.model import StreamSettings
from pipeline.settings.presets import PRESETS
from pipeline.settings.rules import StreamRules
from pipeline.streams.path_tree import PathTree
from pipeline.streams.suggest_sample import Sample, Tried, try_sample
from pipeline.streams.walk import paths_in

_OUTCOMES = ("reward", "verdict", "success_markers", "failure_markers", "human_override")


class Fit(NamedTuple):
    """What a preset makes of the sample, compared from its first member to the last."""

    answered: int
    mapped: int
    filled: int
    """Fields with a value, in all rows."""
    read: int
    """Members of lines that its rules ask for, negative: how many they do not."""
    name: str
    tried: Tried

    @property
    def has_outcome(self) -> bool:
        return any(row[name] not in (None, []) for row in self.tried.rows for name in _OUTCOMES)

    @property
    def has_hashed_tasks(self) -> bool:
        """Whether it found no id and made one of what was asked."""
        return all(len(row["task_id"]) == 32 and not set(row["task_id"]) - _HEX for row in self.tried.rows)


_HEX = frozenset("0123456789abcdef")


def best_preset(sample: Sample) -> Fit | None:
    """The preset that maps most lines with an answer of a model; None where none maps half of them."""
    fits = [fit for name in PRESETS if (fit := _fit(name, PRESETS[name], sample)) is not None]
    return max(fits, key=lambda fit: (fit.answered, fit.mapped, fit.filled, fit.read), default=None)


def _fit(name: str, rules: StreamRules, sample: Sample) -> Fit | None:
    stream = StreamSettings(name="tried", path=("tried.jsonl",), preset=name)
    tried = try_sample(stream, sample, {})
    answered = count_answered(tried)
    if not answered or tried.mapped < tried.refused:
        return None
    tree = PathTree(paths_in(rules))
    unread = sum(len(tree.unread(value)) for value in sample.values)
    return Fit(answered, tried.mapped, count_filled(tried), -unread, name, tried)


def count_answered(tried: Tried) -> int:
    """Rows in which a model says something."""
    return sum(map(_has_answer, tried.rows))


def count_filled(tried: Tried) -> int:
    """Fields with a value, in all rows."""
    return sum(row[field] not in (None, [], {}) for row in tried.rows for field in FIELDS)


def _has_answer(row: Mapping[str, Any]) -> bool:
    return bool(row["response"]) or any(turn["role"] == "assistant" for turn in row["messages"] or ())
