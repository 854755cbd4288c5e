"""What is counted in the rows of one export and of its quarantine."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.stages.personal import kinds_of, personal_in_bytes
from pipeline.stages.splits import VALIDATION, question_of_row, side_of

# Members that an identity, a digest or a code stands in, and no text of a run.
_NO_TEXTS = frozenset(("id", "reason", "split", "shape", "stream", "recorded_at", "flags"))
_TRAIN_BIT, _VALIDATION_BIT = 1, 2


@dataclass(frozen=True)
class SplitRule:
    """Which side a question falls on by one of the two rules."""

    split_by: str
    validation_share: float


@dataclass
class ExportFacts:
    """``sides`` maps a question, by each rule, to the sides it stands on (bits)."""

    rows: int = 0
    tokens: int = 0
    lengths: array[int] = field(default_factory=lambda: array("Q"))
    splits: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    streams: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    personal: Counter[str] = field(default_factory=Counter)
    with_personal: int = 0
    pass_rates: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    validation_share: float = 0.0
    sides: dict[str, dict[bytes, int]] = field(default_factory=lambda: {"prompt": {}, "task": {}})

    def take(self, row: Mapping[str, Any]) -> None:
        """Count one exported row, of any of the three exports and of either version."""
        self.rows += 1
        self.tokens += row["estimated_tokens"]
        self.lengths.append(row["estimated_tokens"])
        self.splits[row["split"]] += 1
        self.streams[row["stream"]] += 1
        self.categories[row.get("quality_score") or row.get("source_category") or row["reason"]] += 1
        for key in ("model_name", "chosen_model_name", "rejected_model_name"):
            if key in row:
                self.models[row[key] or "(not recorded)"] += 1
        found = personal_in_bytes("\n".join(_texts(row)).encode("utf-8", "surrogatepass"))
        if found:
            self.with_personal += 1
            self.personal.update(kinds_of(found))
        if "attempts" in row:
            self.pass_rates[row["stream"], row["task_id"]] = (row["passed"], row["attempts"])
        if "instruction" in row:
            question = question_of_row(dict(row))
            for rule, sides in self.sides.items():
                side = side_of(
                    row["stream"], row["task_id"], question, SplitRule(rule, self.validation_share)
                )
                bit = _VALIDATION_BIT if side == VALIDATION else _TRAIN_BIT
                sides[question] = sides.get(question, 0) | bit

    def on_both_sides(self, rule: str) -> int:
        """Questions that stand on both sides where the split goes by ``rule``."""
        return sum(bits == _TRAIN_BIT | _VALIDATION_BIT for bits in self.sides[rule].values())

    @property
    def questions(self) -> int:
        return len(self.sides["prompt"])

    def length_at(self, share: float) -> int:
        """The length that ``share`` of the rows do not exceed; 0 of none."""
        ordered = sorted(self.lengths)
        return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)] if ordered else 0


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list() | tuple():
            for item in value:
                yield from _texts(item)
        case Mapping():
            for name, item in value.items():
                if name not in _NO_TEXTS and not name.endswith(("provenance", "run_id")):
                    yield from _texts(item)
        case _:
            pass
