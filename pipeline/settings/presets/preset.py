"""What a preset is: rules, and what a person has to know who uses them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """``rules`` is as a stream's section of ``distill.toml`` would have them."""

    title: str
    """The log, by the name that its users know."""
    reads: str
    """Which files, how to come by them, and what one line of them is."""
    rules: dict[str, Any]
    task: str
    """What tells one task from another, and when to say something else."""
    outcome: str
    """Where the log says how a run ended well or badly, or what to add where it does not."""
    not_said: tuple[str, ...] = ()
    """What such a log cannot say, whatever the rules."""
    documented: str = ""
    """Where the log's own format is described."""
