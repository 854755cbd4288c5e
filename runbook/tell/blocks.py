"""What is told, as neutral blocks: a screen, plain lines and Markdown lay the same ones out.

Texts are raw: each face makes them visible. ``Tone`` says what a text is, not how it looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["text", "dim", "strong", "ok", "warn", "fail", "accent"]


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """``name`` is empty for what belongs to the fact above. ``lead`` stands before the text, as its verdict.

    ``literal`` is what stands in a file or on a command line: a path, a command.
    """

    name: str
    text: str
    tone: Tone = "text"
    lead: str = ""
    lead_tone: Tone = "text"
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A cause: the one that was named (``is_cause``), or one that was set aside."""

    sentence: str
    confidence: str
    is_cause: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence. ``lines`` are quoted, ``hidden`` more of them are not."""

    stance: str
    says: str
    source: str
    read_at: float | None
    lines: tuple[str, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class StepBlock:
    """A step of a plan. ``change`` is what becomes of the file; ``to`` where a rename leads."""

    number: int
    verb: str
    subject: str
    change: str = ""
    to: str = ""
    says: str = ""
    by_hand: str = ""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command wrote, ``hidden`` lines of it left out."""

    lines: tuple[str, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Gap:
    pass


GAP = Gap()
Block = Heading | Paragraph | Fact | Conclusion | Finding | StepBlock | Printed | Table | Gap
