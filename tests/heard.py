"""A voice that remembers what it said."""

from __future__ import annotations

from pipeline.platform.voice import Voice


class Heard(Voice):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def out(self, text: str) -> None:
        self.lines.append(text)

    def note(self, text: str) -> None:
        self.lines.append(text)
