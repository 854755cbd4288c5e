"""One look of the runbook's detectors: a child of low priority, with a time limit.

It never runs in this process: detectors start engines and read whole exports, and a broken runbook
must cost the runbook alone. What it used of the processor, its own children included, is told,
because whoever asks again and again has a budget.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from console.state.runbook_state import KnownSymptom, parse
from pipeline.contracts.discovery import firewall_environment
from pipeline.platform.process import Ended, NotWantedError, run

LIMIT_SECONDS = 120.0
LOWEST_PRIORITY = 19
_MOST_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Look:
    """``symptoms`` is empty when it failed; ``trouble`` then says so in three lines."""

    symptoms: tuple[KnownSymptom, ...] = ()
    trouble: tuple[str, ...] = ()
    took_seconds: float = 0.0
    processor_seconds: float = 0.0


def look_argv(root: Path) -> list[str]:
    return [sys.executable, "-P", "-m", "console", "-C", str(root), "--json", "runbook", "detect"]


class RunbookLook:
    """``argv`` is for tests. ``run`` blocks; ``end`` may be called from another thread."""

    def __init__(
        self, root: Path, *, argv: Sequence[str] | None = None, limit_seconds: float = LIMIT_SECONDS
    ) -> None:
        self._argv = list(argv) if argv is not None else look_argv(root)
        self._limit_seconds = limit_seconds
        self._why_ended = ""

    def run(self) -> Look:
        """Look once. Never raises for what the child does."""
        ended = run(
            self._argv,
            limit_seconds=self._limit_seconds,
            env=firewall_environment(),
            keep_bytes=_MOST_BYTES,
            nice=LOWEST_PRIORITY,
            check=self._check,
        )
        if ended.timed_out:
            return _failed(f"it took longer than {self._limit_seconds:.0f} s", ended)
        if ended.exit_code is None:
            return _failed(ended.why, ended)
        try:
            symptoms = parse(ended.stdout)
        except ValueError:
            return _failed(f"exit {ended.exit_code}, {ended.last_words or 'it said nothing'}", ended)
        return Look(symptoms, (), ended.took_seconds, ended.processor_seconds)

    def end(self, why: str = "the console left") -> None:
        """End the child, and all that it started: each dies with the one that started it."""
        self._why_ended = why

    def _check(self) -> None:
        if self._why_ended:
            raise NotWantedError(self._why_ended)


def _failed(why: str, ended: Ended) -> Look:
    trouble = (
        f"The runbook's detectors did not answer: {why}.",
        "Nothing was changed; what stands here is older, or from the console's own detectors.",
        "Try it by hand: distill runbook detect",
    )
    return Look((), trouble, ended.took_seconds, ended.processor_seconds)
