"""The keys by which the engine compares what was asked and what was answered.

When two texts are one text is decided in ``same_text``, when two calls are one call in
``same_call``; prompts of pairs are shared only when they are equal as they stand. The rules are
written out in ``docs/exports.md``; the firewall has its own copy, made from that page and not from
this file. A key is a digest, so that the engine compares rows without holding their texts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from pipeline.stages.row_identity import KEY_BYTES, task_identity
from pipeline.stages.same_call import arguments_form
from pipeline.stages.same_text import asked, loose, strict, strict_characters
from pipeline.stages.transcript import Message

ToolCall = dict[str, Any]

TURN_KEY_BYTES = 8
_LENGTH_BYTES = 8
ASSISTANT_TURN = ord("a")
WEIGHT_OF_ONE = struct.pack("<d", 1.0)


class AnswerKeys(NamedTuple):
    """16 bytes for each level on which answers are compared.

    ``loose`` is empty where a text of the answer is code as a whole: it compares strictly only.
    """

    strict: bytes
    loose: bytes


class QuestionKeys(NamedTuple):
    """16 bytes for all turns before the first answer, and for its task with those not of the system.

    ``full`` is empty when nothing was asked.
    """

    full: bytes
    in_task: bytes


def to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def digest16(*parts: str) -> bytes:
    """A 16-byte key of ``parts``. ``("ab", "c")`` and ``("a", "bc")`` have different keys."""
    return _digest_of_packed([_packed(part) for part in parts])


def _packed(part: str) -> bytes:
    encoded = to_bytes(part)
    return len(encoded).to_bytes(_LENGTH_BYTES, "little") + encoded


def _digest_of_packed(parts: Iterable[bytes]) -> bytes:
    return sha256(b"".join(parts)).digest()[:KEY_BYTES]


def asked_text_keys(text: str) -> tuple[bytes | None, bytes | None]:
    """The key of a text's strict form and that of the form of what was asked; None when nothing is left."""
    form = strict(text).text
    return _key_of_form(form), _key_of_form(asked(form))


def _key_of_form(form: str) -> bytes | None:
    return sha256(to_bytes(form)).digest()[:KEY_BYTES] if form else None


def turn_keys_of(text: str | None, calls: Sequence[ToolCall] | None = None) -> AnswerKeys | None:
    """The keys of one assistant turn: its text and its calls. None when it has neither."""
    form = strict(text) if text else None
    if form is None or not form.text:
        if not calls:
            return None
        said = loosely = ""
    else:
        said, loosely = form.text, "" if form.was_fenced else loose(form.text)
    called: list[bytes] = []
    for call in calls or ():
        called += (
            _packed(strict_characters(call["name"]).strip()),
            _packed(arguments_form(call["arguments"])),
        )
    is_code = form is not None and form.was_fenced and bool(form.text)
    return AnswerKeys(
        _digest_of_packed((_STRICT, _packed(said), *called)),
        b"" if is_code else _digest_of_packed((_LOOSE, _packed(loosely), *called)),
    )


def answer_keys(turns: Sequence[AnswerKeys]) -> AnswerKeys:
    """The keys of all answers of one run, in order, from those of each; of a single one they are its own."""
    if len(turns) == 1:
        return turns[0]
    strictly = _digest_of_packed([turn.strict for turn in turns])
    loosely = [turn.loose for turn in turns]
    return AnswerKeys(strictly, _digest_of_packed(loosely) if all(loosely) else b"")


def question_keys(
    stream: str, task_id: str, turns: Iterable[tuple[str, bytes | None]], context: bytes | None = None
) -> QuestionKeys:
    """The keys of a question. ``turns`` are roles, each with the key of its text as what was asked
    (``asked_text_keys``), up to the first answer.

    ``context`` is that of a text that was given beside the turns and counts as a turn of the system.
    Turns without a text are left out.
    """
    everything = [b"s" + context] if context else []
    in_task = [task_identity(stream, task_id).key]
    for role, key in turns:
        if key is not None:
            turn = role[:1].encode() + key
            everything.append(turn)
            if role != "system":
                in_task.append(turn)
    full = sha256(b"".join(everything)).digest()[:KEY_BYTES] if everything else b""
    return QuestionKeys(full, sha256(b"".join(in_task)).digest()[:KEY_BYTES])


def flat_prompt_key(instruction_digest: bytes, context_digest: bytes) -> bytes:
    """The key of a flat run's prompt, from the exact digests of its two texts."""
    return sha256(instruction_digest + context_digest).digest()[:KEY_BYTES]


def digest_of_text(text: str) -> bytes:
    """The digest of a text exactly as it stands."""
    return sha256(to_bytes(text)).digest()


# A turn's key is eight bytes: the first letter of the role, then a digest of what the turn says.
# The keys of a conversation, one after the other, tell where two runs part.


def answer_turn_key(keys: AnswerKeys | None) -> bytes:
    """The key of an assistant's turn from its ``turn_keys_of``: compared as answers are, strictly."""
    return b"a" + (keys.strict if keys else bytes(KEY_BYTES))[: TURN_KEY_BYTES - 1]


def weights_of(turns: Sequence[Message]) -> bytes:
    """What each turn counts in training, eight bytes a turn; empty where every answer counts fully.

    What is not the assistant's is never learned, so that its weight says nothing.
    """
    weights = [turn.get("weight") if turn["role"] == "assistant" else None for turn in turns]
    if all(weight is None or weight == 1 for weight in weights):
        return b""
    return struct.pack(f"<{len(weights)}d", *(1.0 if weight is None else weight + 0.0 for weight in weights))


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


_STRICT, _LOOSE = _packed("strict"), _packed("loose")
_ROLE_BYTE = {role: role[0].encode() for role in ("system", "user", "tool")}
