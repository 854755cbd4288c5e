"""Train or validation: decided by a hash, so that what belongs together is on one side.

By ``prompt`` the rows of one question are together, whatever stream, task id or system prompt they came
with; by ``task`` the attempts of one stream and task. The hash alone decides: no other row, no order and
no clock, so that a row keeps its side when rows come and go.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from hashlib import sha256
from itertools import takewhile
from typing import Any, Protocol

from pipeline.stages.row_identity import KEY_BYTES, task_identity
from pipeline.stages.same_text import one_spaced
from pipeline.stages.transcript import Message, first_text, spoke

TRAIN, VALIDATION = "train", "validation"


class SplitOptions(Protocol):
    @property
    def validation_share(self) -> float: ...
    @property
    def split_by(self) -> str: ...


def asked_key(text: str) -> bytes | None:
    """16 bytes of one text that was asked, None of a blank one: NFKC, letters' case and white space aside.

    A rule of its own, not one of ``text_keys``: rows keep their side when those learn to compare better.
    """
    words = one_spaced(unicodedata.normalize("NFKC", text).casefold())
    return sha256(words.encode("utf-8", "surrogatepass")).digest()[:KEY_BYTES] if words else None


def question_key(parts: Iterable[bytes | None]) -> bytes:
    """16 bytes of what was asked. ``parts`` are the keys of its normalised texts; blank ones do not count."""
    asked = b"".join(part for part in parts if part)
    return sha256(asked).digest()[:KEY_BYTES] if asked else b""


def split_of(evidence: dict[str, Any], question: bytes, options: SplitOptions) -> str:
    """The side of every row that is made of one run. A run that was asked nothing goes by its task."""
    return side_of(evidence["stream"], evidence["task_id"], question, options)


def side_of(stream: str, task_id: str, question: bytes, options: SplitOptions) -> str:
    if options.split_by == "prompt" and question:
        place = int.from_bytes(question[-6:], "big") / 2**48
    else:
        place = task_identity(stream, task_id).place
    return VALIDATION if place < options.validation_share else TRAIN


def question_of_row(row: dict[str, Any]) -> bytes:
    """The question of an exported SFT row, from the row alone: what ``Sample.question`` is of its run."""
    messages = row["messages"]
    if not messages or row.get("shape") == "flat":
        return question_key((asked_key(row["context"] or ""), asked_key(row["instruction"])))
    return question_of(messages)


def question_of(messages: list[Message]) -> bytes:
    """The question of a conversation: its turns before the first answer but system prompts.

    One that opens with an answer (a greeting) has its first user turn as the question; one with system
    turns alone has those.
    """
    opening = list(takewhile(lambda turn: turn["role"] != "assistant" or not spoke(turn), messages))
    return question_key(_keys(turn for turn in opening if turn["role"] in ("user", "tool"))) or (
        question_key((asked_key(first_text(messages, "user") or ""),))
        or question_key(_keys(turn for turn in opening if turn["role"] == "system"))
    )


def _keys(turns: Iterable[Message]) -> list[bytes | None]:
    return [asked_key(turn["content"] or "") for turn in turns]
