"""What a watcher does not know yet of files beside the live export: that it has not looked is never CLEAR."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from pipeline.contracts.finding_words import FIRST_READING
from pipeline.firewall.report import Report, State


class Doubt(NamedTuple):
    """``words`` for the detail; UNKNOWN when nothing was known before, else STALE."""

    words: str
    state: State


def doubt_of(what: str, was_told: bool) -> Doubt:
    """Of files that are being read, or that stand without a receipt for no more than a moment."""
    if was_told:
        return Doubt(f"{what} are read again", State.STALE)
    return Doubt(f"{what}: {FIRST_READING}", State.UNKNOWN)


def doubted(report: Report, *doubts: Doubt | None) -> Report:
    """The report, not CLEAR and not ABSENT while there is a doubt."""
    first = next((doubt for doubt in doubts if doubt is not None), None)
    if first is None or report.state not in (State.CLEAR, State.ABSENT):
        return report
    return replace(report, state=first.state, detail=first.words)
