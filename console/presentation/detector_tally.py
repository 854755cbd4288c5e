"""PURE: what shows, and how much of what can be detected was looked for: one sentence for every face."""

from __future__ import annotations

from console.presentation.counts import count
from console.presentation.spans import Role
from pipeline.reading.durations import age_in_words, age_of
from pipeline.reading.symptom_answers import Tally


def tally_words(tally: Tally, now: float) -> str:
    """``8 of 17 evaluated, 2 unknown, 7 never ran, oldest 13m``: an answer is as old as what it saw."""
    counted = ((tally.unknown, "unknown"), (tally.stale, "stale"), (tally.never, "never ran"))
    pieces = [f"{tally.evaluated} of {tally.total} evaluated"]
    pieces += [f"{count} {word}" for count, word in counted if count]
    if tally.oldest is not None:
        pieces.append(f"oldest {age_in_words(age_of(tally.oldest, now))}")
    return ", ".join(pieces)


def tally_role(tally: Tally) -> Role:
    """Green only where all was evaluated, and that not long ago."""
    if tally.is_whole:
        return "ok"
    return "warn" if tally.unknown or tally.stale or not tally.evaluated else "text"


def head_words(showing: int, tally: Tally, now: float) -> str:
    """``3 SYMPTOMS · 15 of 17 evaluated, …``; silence says how far it goes."""
    shows = f"{count(showing)} {'SYMPTOM' if showing == 1 else 'SYMPTOMS'}" if showing else "no symptom"
    return f"{shows} · {tally_words(tally, now)}"
