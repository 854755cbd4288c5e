"""One mark, one word and one role for every state, the same on every screen."""

from __future__ import annotations

from typing import NamedTuple

from console.presentation.spans import Role
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import FirewallWord, PhaseState


class Look(NamedTuple):
    """How a state is told. The mark is one cell wide; colour (the role) only repeats the word."""

    mark: str
    word: str
    role: Role


PHASES: dict[PhaseState, Look] = {
    PhaseState.OK: Look(" ", "ok", "ok"),
    PhaseState.WARN: Look("!", "warn", "warn"),
    PhaseState.FAIL: Look("X", "FAIL", "fail"),
    PhaseState.RUN: Look("»", "run", "accent"),
    PhaseState.NEXT: Look("·", "next", "dim"),
    PhaseState.STALE: Look("~", "stale", "dim"),
    PhaseState.UNKNOWN: Look("?", "unknown", "warn"),
    PhaseState.NEVER: Look("?", "never", "warn"),
}

FIREWALL: dict[FirewallWord, Look] = {
    FirewallWord.CLEAR: Look(" ", "CLEAR", "ok"),
    FirewallWord.BREACH: Look("X", "BREACH", "fail"),
    FirewallWord.ABSENT: Look("-", "ABSENT", "strong"),
    FirewallWord.STALE: Look("~", "STALE", "dim"),
    FirewallWord.UNKNOWN: Look("?", "UNKNOWN", "warn"),
}

SEVERITIES: dict[Severity, Look] = {
    Severity.CRITICAL: Look("X", "CRITICAL", "fail"),
    Severity.ERROR: Look("X", "error", "fail"),
    Severity.WARNING: Look("!", "warn", "warn"),
    Severity.INFO: Look("·", "note", "dim"),
}

DRIFT: dict[str, Look] = {
    "warn": Look("!", "warn", "warn"),
    "noisy": Look("~", "noisy", "dim"),
    "missing": Look("?", "missing", "warn"),
    "new": Look("·", "new", "accent"),
    "same": Look(" ", "same", "text"),
}

CHECKS: dict[str, Look] = {
    "pass": Look(" ", "pass", "ok"),
    "fail": Look("X", "FAIL", "fail"),
    "error": Look("X", "ERROR", "fail"),
    "not_evaluated": Look("?", "no eval", "warn"),
    "warn": Look("!", "warn", "warn"),
    "info": Look(" ", "info", "dim"),
}
UNKNOWN_CHECK = Look("?", "unknown", "warn")
WAITING_CHECK = Look("·", "next", "dim")
STALE_CHECK = Look("~", "stale", "dim")

# Categories of a verdict have colours of their own, by their names.
CATEGORIES: dict[str, Role] = {
    "accepted": "accepted",
    "partially_accepted": "partial",
    "needs_human_review": "review",
    "rejected": "rejected",
}
SHORT_CATEGORIES = {"partially_accepted": "partial", "needs_human_review": "review"}
