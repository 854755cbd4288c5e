"""Where a command of the runbook says things: data to one side, narration to the other."""

from __future__ import annotations

from typing import Any, Protocol


class Voice(Protocol):
    """``json`` asks for data for machines. The console's invocation is one."""

    @property
    def json(self) -> bool: ...

    def out(self, text: str) -> None: ...

    def out_json(self, value: Any) -> None: ...

    def note(self, text: str) -> None: ...
