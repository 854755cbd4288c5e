"""When two texts are the same text, and the keys by which the engine compares them.

Answers and instructions are the same when their ``normalise``d forms are equal; prompts are
shared only when they are equal as they stand. Both rules are written out in
``docs/exports.md``; the firewall has its own copy, made from that page and not from this file.
A key is a digest, so that the engine compares rows without holding their texts.
"""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import Any

from pipeline.stages.transcript import Message, first_text, up_to_last_answer

Evidence = dict[str, Any]

KEY_BYTES = 16
TURN_KEY_BYTES = 8
ASSISTANT_TURN = ord("a")


def normalise(text: str) -> str:
    """NFKC, every run of Unicode white space as one space, trimmed.

    White space is what ``str.split()`` splits at: the Unicode property White_Space and
    U+001C to U+001F.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.split())


def digest16(*parts: str) -> bytes:
    """A 16-byte key of ``parts``. ``("ab", "c")`` and ``("a", "bc")`` have different keys."""
    digest = sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.digest()[:KEY_BYTES]


def task_key(evidence: Evidence) -> bytes:
    """Attempts with the same key are attempts of one task: same stream, same task id."""
    return digest16(evidence["stream"], evidence["task_id"])


def response_key(evidence: Evidence) -> bytes | None:
    """The key of all that the model said, or None when nothing is recorded or all of it is empty.

    In a conversation: every assistant turn in order, its text and then its calls (name and
    arguments). Turns with neither are left out, so a conversation with one answer has the key
    of a flat run with that answer.
    """
    messages = evidence["messages"]
    if not messages:
        text = normalise(evidence["response"] or "")
        return digest16(text, "0") if text else None
    parts: list[str] = []
    for turn in messages:
        if turn["role"] != "assistant":
            continue
        text = normalise(turn["content"] or "")
        calls = turn["tool_calls"]
        if text or calls:
            # The number of calls stands before them, so that no text can pose as a call.
            parts += (text, str(len(calls or ())))
            for call in calls or ():
                parts += (normalise(call["name"]), normalise(call["arguments"] or ""))
    return digest16(*parts) if parts else None


def instruction_key(evidence: Evidence) -> bytes | None:
    """The key of what the model was asked, or None when that is missing or blank.

    In a conversation that is its first user turn, which is also what an SFT row shows.
    """
    messages = evidence["messages"]
    asked = first_text(messages, "user") if messages else evidence["instruction"]
    text = normalise(asked or "")
    return digest16(text) if text else None


def prompt_key(evidence: Evidence) -> bytes:
    """The key of a flat run's instruction and context, exactly as they stand; b"" in a conversation."""
    if evidence["messages"]:
        return b""
    return digest16(evidence["instruction"] or "", evidence["context"] or "")


def turn_keys(evidence: Evidence) -> bytes:
    """The key of every message up to the last answer, one after the other; b"" for a flat run."""
    messages = evidence["messages"]
    return keys_of_messages(up_to_last_answer(messages)) if messages else b""


def keys_of_messages(messages: list[Message]) -> bytes:
    """Eight bytes a message: the first letter of its role, then a digest of what it says.

    Text, tool calls (name and arguments) and the speaker's name count, exactly as they stand.
    The ids of tool calls do not: they differ between runs that did the same.
    """
    keys = bytearray()
    for turn in messages:
        role = turn["role"]
        calls = turn["tool_calls"] or ()
        parts = [role, turn["content"] or "", turn["name"] or "", str(len(calls))]
        for call in calls:
            parts += (call["name"], call["arguments"] or "")
        keys.append(ord(role[0]))
        keys += digest16(*parts)[: TURN_KEY_BYTES - 1]
    return bytes(keys)
