"""What the exporters need of ``[export]``: the part of the settings that they read, as protocols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol


class RowLimits(Protocol):
    """The limits of one export that a run meets or not by itself, and how many rows there may be."""

    @property
    def max_tokens(self) -> int: ...
    @property
    def categories(self) -> tuple[str, ...]: ...
    @property
    def partial_at(self) -> Mapping[str, float]: ...
    @property
    def stream_caps(self) -> Mapping[str, int]: ...
    @property
    def max_rows(self) -> int | None: ...


class TaskLimits(RowLimits, Protocol):
    @property
    def max_per_task(self) -> int | None: ...


class PairLimits(RowLimits, Protocol):
    @property
    def max_pairs_per_task(self) -> int: ...
    @property
    def completion(self) -> Literal["first_turn", "turns"]: ...
    @property
    def max_length_gap(self) -> int | None: ...


class ExportOptions(Protocol):
    """``ExportSettings`` is one; tests make smaller ones."""

    @property
    def validation_share(self) -> float: ...
    @property
    def split_by(self) -> str: ...
    @property
    def refuse(self) -> tuple[str, ...]: ...
    @property
    def pii(self) -> str: ...
    @property
    def rag(self) -> TaskLimits: ...
    @property
    def sft(self) -> TaskLimits: ...
    @property
    def preference(self) -> PairLimits: ...
