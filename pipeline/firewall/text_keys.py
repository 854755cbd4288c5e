"""What makes two texts, or two conversations, the same: the content wall's own keys.

Written anew rather than imported from the exporter, whose mistake a shared function would
repeat. ``tests/pipeline/firewall/test_agreement.py`` keeps the two in step.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

GROUP_MASK = ~0xF & 0xFFFF_FFFF_FFFF_FFFF  # the run table keeps a verdict in the low four bits


def normalise(text: str) -> str:
    """NFKC, runs of white space as one space, trimmed."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.split())


def digest(parts: Iterable[bytes]) -> bytes:
    """16 bytes for several parts; lengths are hashed too, so that parts cannot run together."""
    hasher = blake2b(digest_size=16)
    for part in parts:
        hasher.update(len(part).to_bytes(8, "little"))
        hasher.update(part)
    return hasher.digest()


class Turn(NamedTuple):
    """One assistant turn, normalised: its text, and its tool calls as (name, arguments text)."""

    text: str
    calls: tuple[tuple[str, str], ...] = ()

    @property
    def says_nothing(self) -> bool:
        return not self.text and not self.calls


def turn(text: str | None, calls: Sequence[tuple[str, str]] = ()) -> Turn:
    return Turn(normalise(text or ""), tuple((normalise(name), normalise(said)) for name, said in calls))


def answer_key(turns: Sequence[Turn]) -> bytes:
    """16 bytes for what was answered: all assistant turns in order.

    A flat answer is one turn without calls, so that the same text is the same answer in both
    shapes.
    """
    parts: list[bytes] = []
    for said in turns:
        parts += (said.text.encode(), len(said.calls).to_bytes(8, "little"))
        for name, arguments in said.calls:
            parts += (name.encode(), arguments.encode())
    return digest(parts)


def task_group(stream: str, task_id: str) -> int:
    """A number that attempts at one task of one stream share (60 bits, of this process only)."""
    return hash((stream, task_id)) & GROUP_MASK


def instruction_group(instruction: str) -> int | None:
    """A number that attempts at one instruction share; None for a blank one."""
    text = normalise(instruction)
    return hash(("instruction", text)) & GROUP_MASK if text else None


def in_group(group: int, answer: bytes) -> bytes:
    """16 bytes for one answer to one task or instruction."""
    return blake2b(answer, digest_size=16, key=group.to_bytes(8, "little")).digest()
