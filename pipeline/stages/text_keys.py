"""When two texts are the same text, and the keys by which the engine compares them.

Answers and instructions are the same when their ``normalise``d forms are equal; prompts are
shared only when they are equal as they stand. Both rules are written out in
``docs/exports.md``; the firewall has its own copy, made from that page and not from this file.
A key is a digest, so that the engine compares rows without holding their texts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from pipeline.stages.row_identity import KEY_BYTES
from pipeline.stages.transcript import Message, first_text

Evidence = dict[str, Any]
ToolCall = dict[str, Any]

TURN_KEY_BYTES = 8
ASSISTANT_TURN = ord("a")

# White space that texts rarely hold; the loop below asks for each in turn.
_RARE_SPACE = "\v\f\x1c\x1d\x1e\x1f\x85\u1680\u2028\u2029"


def normalise(text: str) -> str:
    """NFKC, every run of Unicode white space as one space, trimmed.

    White space is what ``str.split()`` splits at: the Unicode property White_Space and
    U+001C to U+001F. The result equals ``" ".join(text.split())``; splitting at the few long
    runs instead of at every word takes 5.0 instead of 7.4 µs per KB of real logs.
    """
    if not text.isascii():
        # What NFKC leaves of White_Space outside ASCII is in _RARE_SPACE.
        text = unicodedata.normalize("NFKC", text)
    text = text.replace("\n", " ").replace("\t", " ").replace("\r", " ")
    for character in _RARE_SPACE:
        if character in text:
            text = text.replace(character, " ")
    if "  " in text:
        text = " ".join(filter(None, map(str.strip, text.split("  "))))
    return text.strip()


def to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def digest16(*parts: str) -> bytes:
    """A 16-byte key of ``parts``. ``("ab", "c")`` and ``("a", "bc")`` have different keys."""
    packed: list[bytes] = []
    for part in parts:
        encoded = to_bytes(part)
        packed += (len(encoded).to_bytes(8, "little"), encoded)
    return sha256(b"".join(packed)).digest()[:KEY_BYTES]


def text_key(text: str) -> bytes | None:
    """The key of a text as ``normalise`` leaves it, or None when nothing is left."""
    normal = normalise(text)
    return sha256(to_bytes(normal)).digest()[:KEY_BYTES] if normal else None


def answer_digest(text: str | None, calls: list[ToolCall] | None = None) -> bytes | None:
    """The digest of one answer: its text and its calls (name and arguments), all normalised.

    None when there is neither.
    """
    normal = normalise(text) if text else ""
    if calls:
        # The first part is empty and no text is: so no text can pose as a call.
        parts = ["", normal]
        for call in calls:
            parts += (normalise(call["name"]), normalise(call["arguments"]))
        return digest16(*parts)
    return sha256(to_bytes(normal)).digest()[:KEY_BYTES] if normal else None


def answers_key(digests: Iterable[bytes]) -> bytes:
    """The key of all answers of one run, in order, from the digest of each."""
    return sha256(b"".join(digests)).digest()[:KEY_BYTES]


def response_key(evidence: Evidence) -> bytes | None:
    """The key of all that the model said in one run, or None when it said nothing.

    Assistant turns with neither text nor call are left out, and a flat response is one answer:
    a conversation with one answer has the key of a flat run with that answer.
    """
    messages = evidence["messages"]
    if messages:
        digests = [
            answer_digest(turn["content"], turn["tool_calls"])
            for turn in messages
            if turn["role"] == "assistant"
        ]
    else:
        digests = [answer_digest(evidence["response"])]
    said = [digest for digest in digests if digest is not None]
    return answers_key(said) if said else None


def instruction_key(evidence: Evidence) -> bytes | None:
    """The key of what the model was asked, or None when that is missing or blank.

    In a conversation that is its first user turn, which is also what an SFT row shows.
    """
    messages = evidence["messages"]
    return text_key((first_text(messages, "user") if messages else evidence["instruction"]) or "")


def flat_prompt_key(instruction_digest: bytes, context_digest: bytes) -> bytes:
    """The key of a flat run's prompt, from the exact digests of its two texts."""
    return sha256(instruction_digest + context_digest).digest()[:KEY_BYTES]


def digest_of_text(text: str) -> bytes:
    """The digest of a text exactly as it stands."""
    return sha256(to_bytes(text)).digest()


# A turn's key is eight bytes: the first letter of the role, then a digest of what the turn says.
# The keys of a conversation, one after the other, tell where two runs part.


def answer_turn_key(digest: bytes | None) -> bytes:
    """The key of an assistant's turn from its ``answer_digest``: compared as answers are."""
    return b"a" + (digest or bytes(KEY_BYTES))[: TURN_KEY_BYTES - 1]


def asked_turn_key(turn: Message, content_digest: bytes) -> bytes:
    """The key of any other turn, from the exact digest of its text.

    Calls and the speaker's name count as they stand. Ids of calls do not: they differ between
    runs that did the same.
    """
    name, calls = turn["name"], turn["tool_calls"]
    if name or calls:
        parts = [name or ""]
        for call in calls or ():
            parts += (call["name"], call["arguments"])
        content_digest = sha256(content_digest + digest16(*parts)).digest()
    return _ROLE_BYTE[turn["role"]] + content_digest[: TURN_KEY_BYTES - 1]


_ROLE_BYTE = {role: role[0].encode() for role in ("system", "user", "tool")}
