"""Is an answer an answer? Structure only: whether it is right, nobody here can know.

Each reason has a permanent code. Phrases are matched in the answer's own words, after folding
case and white space.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

MIN_WORDS = 8
# Share of the answer's longer words that must occur in the playbooks it was given.
MIN_SUPPORT = 0.2
_LONG_WORD = re.compile(r"\w{4,}")


class ReplayReason(StrEnum):
    """Why an answer is refused. Permanent; written to the replay log."""

    EMPTY = "empty"
    TOO_SHORT = "too_short"
    FILLER_OR_HEDGE_PHRASE = "filler_or_hedge_phrase"
    NO_PLAYBOOK_SUPPORT = "no_playbook_support"
    PLACEHOLDER = "placeholder"
    TRUNCATED = "truncated"


# What models say instead of an answer. A phrase is listed when it says nothing about the task.
_FILLER = re.compile(
    r"\bas an ai\b|\blanguage model\b|\bi(?:'m| am) (?:not sure|unable|sorry)\b|\bi (?:cannot|can't|can not) "
    r"|\bi do(?:n't| not) (?:know|have (?:access|enough))\b|\bit depends\b|\bhope (?:this|that) helps\b"
    r"|\blet me know if\b|\bfeel free to\b|\bin general terms\b|\bmay or may not\b|\bsomething like that\b"
    r"|\bthere are many (?:ways|factors)\b|\bconsult (?:a|an|your) (?:expert|professional|documentation)\b"
)
_PLACEHOLDER = re.compile(
    r"\btodo\b|\bfixme\b|\btbd\b|\blorem ipsum\b|\[(?:insert|your|fill)[^\]]*\]"
    r"|<(?:your|insert|placeholder)[^>]*>|\bxxx+\b|\{\{[^}]*\}\}"
)
_ENDS_OPEN = ("...", "…", ",", ":", ";", "(", "[", "{", " and", " or", " the")


def reads_as_filler(text: str) -> bool:
    """Whether ``text`` holds a filler, a hedge or a placeholder."""
    folded = _folded(text)
    return bool(_FILLER.search(folded) or _PLACEHOLDER.search(folded))


def validate(answer: str | None, playbooks: Sequence[str], *, cut_off: bool = False) -> list[ReplayReason]:
    """Every reason against ``answer``, in the order of the codes; none means that it passes.

    ``playbooks`` are the texts that the model was given. ``cut_off`` is what the server said of
    its own answer: that it ended at a limit.
    """
    if answer is None or not answer.strip():
        return [ReplayReason.EMPTY]
    folded = _folded(answer)
    reasons = []
    if len(folded.split()) < MIN_WORDS:
        reasons.append(ReplayReason.TOO_SHORT)
    if _FILLER.search(folded):
        reasons.append(ReplayReason.FILLER_OR_HEDGE_PHRASE)
    if support(folded, playbooks) < MIN_SUPPORT:
        reasons.append(ReplayReason.NO_PLAYBOOK_SUPPORT)
    if _PLACEHOLDER.search(folded):
        reasons.append(ReplayReason.PLACEHOLDER)
    if cut_off or folded.count("```") % 2 or folded.endswith(_ENDS_OPEN):
        reasons.append(ReplayReason.TRUNCATED)
    return reasons


def support(answer: str, playbooks: Sequence[str]) -> float:
    """Share of the different longer words of ``answer`` that the playbooks hold, 0 to 1."""
    words = set(_LONG_WORD.findall(_folded(answer)))
    if not words or not playbooks:
        return 0.0
    known: set[str] = set()
    for text in playbooks:
        known.update(_LONG_WORD.findall(_folded(text)))
    return len(words & known) / len(words)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
