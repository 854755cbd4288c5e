"""On which side of the split the rows of a run lie, by the firewall's own code.

The manifest says by which rule each export was divided. Rows of another run, the order and the clock do
not count: the hash of the question (or of the task) is the place of a row from 0 to 1, and what lies
below the share is for validation. ``docs/exports.md`` has the rule.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from pipeline.contracts import paths
from pipeline.firewall.causes import read_json
from pipeline.firewall.conversation import Message, calls_of, text_of
from pipeline.firewall.index_rows import EvidenceRow
from pipeline.firewall.material import Said, up_to_last_answer
from pipeline.firewall.places import Places

_RULES = ("prompt", "task")
_KEY_BYTES = 16
_PLACE_BYTES = 6


class SplitRule(NamedTuple):
    """``by`` is ``prompt`` or ``task``; ``share`` is how much of it is for validation."""

    by: str
    share: float


def rules(root: Path) -> dict[str, SplitRule]:
    """The rule of each export, by the manifest that stands. One that says none was written before it did."""
    manifest = read_json(root / paths.EXPORT_MANIFEST)
    said = manifest.get("splits") if isinstance(manifest, dict) else None
    found = {}
    for export, rule in said.items() if isinstance(said, dict) else ():
        by, share = (rule.get("split_by"), rule.get("validation_share")) if isinstance(rule, dict) else (0, 0)
        if by in _RULES and isinstance(share, int | float):
            found[export] = SplitRule(str(by), float(share))
    return found


def rule_of(places: Places) -> SplitRule | None:
    """That of the SFT export which stands; of any other file the manifest says nothing."""
    return rules(places.root).get("sft") if places.root is not None and places.is_live else None


def side_of(run: EvidenceRow, rule: SplitRule) -> str:
    question = _question_of(run) if rule.by == "prompt" else b""
    digest = question or _task(str(run.stream), str(run.task_id))
    place = int.from_bytes(digest[-_PLACE_BYTES:], "big") / 2 ** (8 * _PLACE_BYTES)
    return "validation" if place < rule.share else "train"


def _question_of(run: EvidenceRow) -> bytes:
    if not run.messages:
        return _question((text_of(run.context) or "", text_of(run.instruction) or ""))
    opening, system, first_user = _opening(up_to_last_answer(run.messages))
    return _question(opening) or _question((first_user,)) or _question(system)


def _opening(turns: Iterable[Message]) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Before the first answer, what users and tools said and what the system did; the first user's text."""
    asked: list[str] = []
    system: list[str] = []
    first_user: str | None = None
    has_answered = False
    for turn in turns:
        if has_answered and first_user is not None:
            break
        text = text_of(turn.content) or ""
        if turn.role == "assistant":
            has_answered = has_answered or not Said(text, tuple(calls_of(turn))).is_nothing
        elif not has_answered:
            (system if turn.role == "system" else asked).append(text)
        if first_user is None and turn.role == "user":
            first_user = text
    return tuple(asked), tuple(system), first_user or ""


@lru_cache(maxsize=64)  # attempts at one task stand next to each other
def _question(texts: tuple[str, ...]) -> bytes:
    """The digest of what was asked, b"" of nothing: letters' case, white space and blank texts aside."""
    keys = b""
    for text in texts:
        words = (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold().split()
        if words:
            keys += sha256(" ".join(words).encode("utf-8", "surrogatepass")).digest()[:_KEY_BYTES]
    return sha256(keys).digest()[:_KEY_BYTES] if keys else b""


@lru_cache(maxsize=1024)
def _task(stream: str, task_id: str) -> bytes:
    name = stream.encode("utf-8", "surrogatepass")
    return sha256(len(name).to_bytes(8, "little") + name + task_id.encode("utf-8", "surrogatepass")).digest()
