"""A look at the pairs file itself: pairs of one run with itself, or of two equal texts.

Written without the engine's comparison, which may be what is broken. What no JSON reader can read
is left to the audit.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.platform.lenient_json import object_or_empty
from runbook.symptoms.s1_p4_self_pair.define import PAIRS

# Larger files are left to the audit: a live detector answers within a second.
MOST_BYTES = 64 * 2**20
MOST_FOUND = 20


@dataclass(frozen=True)
class BadPair:
    """``line`` is counted from 1."""

    line: int
    row_id: str
    says: str


def bad_pairs(root: Path) -> list[BadPair] | None:
    """The first of them, in order; None where the file is too large or not there to be read."""
    path = root / PAIRS
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        found = []
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                says = _problem(line)
                if says is not None:
                    found.append(BadPair(number, *says))
                    if len(found) == MOST_FOUND:
                        break
    except OSError:
        return None
    return found


def _problem(line: bytes) -> tuple[str, str] | None:
    row = object_or_empty(line)
    chosen = row.get("chosen_run_id")
    if isinstance(chosen, str) and chosen == row.get("rejected_run_id"):
        return str(row.get("id")), f"both sides are run {chosen}"
    if "chosen" in row and _said(row["chosen"]) == _said(row.get("rejected")):
        return str(row.get("id")), "both sides are the same text"
    return None


def _said(answer: object) -> object:
    """What an assistant said and called, without differences of white space and of composition."""
    if isinstance(answer, str):
        return _normal(answer)
    turns = [each for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []
    return [
        (_normal(str(each.get("content") or "")), _calls(each))
        for each in turns
        if each.get("role") == "assistant"
    ]


def _calls(turn: dict[str, Any]) -> list[tuple[object, object]]:
    calls = turn.get("tool_calls")
    return [
        (each.get("name"), each.get("arguments"))
        for each in (calls if isinstance(calls, list) else ())
        if isinstance(each, dict)
    ]


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())
