"""What a card says beside the counts of rows: how they were made, and which checks have looked at them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.card.licences import Licence

__all__ = ["CardContext", "FormattedFile", "Licence", "Lint"]


@dataclass(frozen=True)
class FormattedFile:
    """A file of a trainer's format that its receipt accounts for. ``path`` is below ``exports/``.

    ``split`` is None where the rows name theirs.
    """

    format: str
    export: str
    path: str
    split: str | None


@dataclass(frozen=True)
class Lint:
    """Runs in SFT rows, and how many of them have which fault or flag."""

    runs: int
    faults: Counter[str]
    flags: Counter[str]


@dataclass(frozen=True)
class CardContext:
    """None stands for *not checked* or *not known*, never for a clean answer."""

    licences: Mapping[str, Licence] = field(default_factory=dict)
    split_by: str = "prompt"
    validation_share: float = 0.0
    tokenizer: str | None = None
    pii: str = "report"
    firewall: str | None = None
    lint: Lint | None = None
    decontamination: Mapping[str, Any] | None = None
    near_duplicates: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    """The report on each export; None where there is none."""
    formatted: tuple[FormattedFile, ...] = ()
