"""What a format is: its columns, how one row becomes one of its rows, and how it is trained on.

Columns are described in terms that need no library: ``"text"``, ``"number"``, ``"flag"``, a list of one
kind, a dict of members, and two for values of any shape: ``JSON``, which loaders give back as the object
it was (``datasets`` 4.7), and ``JSON_TEXT``, which they give back as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.stages.refusals import Refusal

Row = dict[str, Any]
Kind = str | list[Any] | dict[str, Any]
Columns = dict[str, Kind]

TEXT, NUMBER, FLAG, JSON, JSON_TEXT = "text", "number", "flag", "json", "json_text"

# What rows are made of: two of the canonical exports, or every run that was accepted or rejected.
Source = Literal["sft", "preference", "labelled"]


@dataclass(frozen=True)
class Format:
    """One format, a folder of its own.

    ``convert`` gives one row, or the reason why the format cannot hold it whole. ``recipe`` are the lines
    of Python or YAML with which it is trained on: ``{folder}``, ``{loader}`` (the module of ``datasets`` that
    reads its files) and ``{max_length}`` are filled in. ``cautions`` are what a trainer would get wrong
    without being told.
    """

    name: str
    source: Source
    help: str
    columns: Columns
    convert: Callable[[Row], Row | Refusal]
    recipe: str
    cautions: Sequence[str] = ()
    has_id: bool = False
    """Whether the id of the row it was made of is a column; left out where a trainer would read it."""
    beside: Callable[[Mapping[str, str]], dict[str, Any]] | None = None
    """Makes ``dataset_info.json`` of the files that were written, by split."""

    @property
    def has_rejected_answers(self) -> bool:
        """Whether a trainer that knows no labels would learn rejected answers from it."""
        return self.source == "labelled"

    @property
    def all_columns(self) -> Columns:
        return {**self.columns, "id": TEXT} if self.has_id else self.columns
