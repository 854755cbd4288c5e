"""What the exporters need of ``[export]``: the part of the settings that they read, as a protocol."""

from __future__ import annotations

from typing import Literal, Protocol


class HasMaxTokens(Protocol):
    @property
    def max_tokens(self) -> int: ...


class HasCompletion(HasMaxTokens, Protocol):
    @property
    def completion(self) -> Literal["first_turn", "turns"]: ...


class ExportOptions(Protocol):
    """``ExportSettings`` is one; tests make smaller ones."""

    @property
    def validation_share(self) -> float: ...
    @property
    def split_by(self) -> str: ...
    @property
    def refuse(self) -> tuple[str, ...]: ...
    @property
    def rag(self) -> HasMaxTokens: ...
    @property
    def sft(self) -> HasMaxTokens: ...
    @property
    def preference(self) -> HasCompletion: ...
