"""The content wall of version 1, by which exports of that version are judged for good.

Texts are the same after NFKC with runs of white space as one space, and so are names and arguments
of calls; an answer is spoilt by a rejected run of the same task or the same instruction. What an
upgrade taught the wall since must neither accuse nor acquit a file that was written before.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

from pipeline.firewall.conversation import Message, calls_of, last_answer, text_of
from pipeline.firewall.index_rows import EvidenceRow
from pipeline.firewall.sft_row import SftRow

_Turn = tuple[str, tuple[tuple[str, str], ...]]


def keys_of_run(run: EvidenceRow) -> list[bytes]:
    """The keys of a rejected run's answer; none when it said nothing."""
    if run.messages:
        turns, asked = _assistant_turns(run.messages), _first_user_text(run.messages)
    else:
        turns, asked = [_turn(text_of(run.response), ())], text_of(run.instruction) or ""
    if not any(text or calls for text, calls in turns):
        return []
    return _keys(turns, [_task(run.stream, run.task_id), _instruction(asked)])


def keys_of_row(row: SftRow, named: EvidenceRow | None) -> Iterator[tuple[list[bytes], str]]:
    """The keys of what a row says was answered, each with the words for a finding.

    ``named`` is the evidence of the run that the row names.
    """
    groups = [_task(row.stream, row.task_id)]
    if named is not None:
        groups.append(_task(named.stream, named.task_id))
    groups += map(_instruction, (text_of(row.instruction) or "", _first_user_text(row.messages or ())))
    flat = [_turn(text_of(row.response), ())]
    yield _keys(_assistant_turns(row.messages) if row.messages else flat, groups), "same answer as"
    if row.messages and flat != [_turn(text_of(last_answer(row.messages)), ())]:
        yield _keys(flat, groups), "its response is that of"


def _assistant_turns(messages: Sequence[Message]) -> list[_Turn]:
    turns = [
        _turn(text_of(message.content), calls_of(message))
        for message in messages
        if message.role == "assistant"
    ]
    return [turn for turn in turns if turn[0] or turn[1]]


def _first_user_text(messages: Iterable[Message]) -> str:
    return next((text_of(message.content) or "" for message in messages if message.role == "user"), "")


def _turn(text: str | None, calls: Sequence[tuple[str, str]]) -> _Turn:
    return _normalise(text or ""), tuple((_normalise(name), _normalise(given)) for name, given in calls)


def _normalise(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.split())


def _task(stream: object, task_id: object) -> bytes | None:
    if not isinstance(stream, str) or not isinstance(task_id, str):
        return None
    return _digest(("task", stream, task_id))


def _instruction(asked: str) -> bytes | None:
    text = _normalise(asked)
    return _digest(("instruction", text)) if text else None


def _keys(turns: Sequence[_Turn], groups: Iterable[bytes | None]) -> list[bytes]:
    parts: list[str] = []
    for text, calls in turns:
        parts += (text, str(len(calls)), *(part for call in calls for part in call))
    answer = _digest(parts)
    return [blake2b(answer, digest_size=16, key=group).digest() for group in groups if group]


def _digest(parts: Iterable[str]) -> bytes:
    hasher = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "little") + data)
    return hasher.digest()
