"""When an answer is that of a rejected run: the same answer to the same question.

The rules are those of ``docs/exports.md``; the forms of texts and calls are in ``text_forms`` and
``call_forms``. A key is 16 bytes: 8 of the question with the answer as it compares loosely, then 8
of the same with the answer as it compares strictly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from pipeline.firewall.call_forms import arguments_form
from pipeline.firewall.material import Said
from pipeline.firewall.text_forms import loose_form, question_form, strict_form, without_hidden

LOOSE_BYTES = 8
KEY_BYTES = 16


class Answer(NamedTuple):
    """Digests of all that was said. ``is_code``: some text of it is code as a whole."""

    strict: bytes
    loose: bytes
    is_code: bool


def answer_of(said: Sequence[Said]) -> Answer | None:
    """None when nothing was said."""
    if not said:
        return None
    strictly: list[str] = []
    loosely: list[str] = []
    is_code = False
    for turn in said:
        form = strict_form(turn.text)
        is_code = is_code or (form.is_code and bool(form.text))
        calls = [(without_hidden(name).strip(), arguments_form(given)) for name, given in turn.calls]
        called = [str(len(calls)), *(part for call in calls for part in call)]
        strictly += (form.text, *called)
        loosely += (loose_form(form.text), *called)
    return Answer(_digest(strictly), _digest(loosely), is_code)


def questions_of(asked: Iterable[tuple[str, str]], stream: object, task_id: object) -> list[bytes]:
    """What was asked, and the task with what was asked by others than the system: one question each."""
    turns = [(role, question_form(text)) for role, text in asked]
    turns = [(role, form) for role, form in turns if form]
    questions = []
    if turns:
        questions.append(_digest(("asked", *(part for turn in turns for part in turn))))
    if isinstance(stream, str) and isinstance(task_id, str):
        by_others = (part for turn in turns if turn[0] != "system" for part in turn)
        questions.append(_digest(("task", stream, task_id, *by_others)))
    return questions


def keys(answer: Answer, questions: Iterable[bytes]) -> list[bytes]:
    """The keys of one answer to each question."""
    return [
        _keyed(answer.loose, question) + _keyed(answer.strict, question)
        for question in dict.fromkeys(questions)
    ]


def _keyed(answer: bytes, question: bytes) -> bytes:
    return blake2b(answer, digest_size=LOOSE_BYTES, key=question).digest()


def _digest(parts: Iterable[str]) -> bytes:
    """16 bytes; lengths are hashed too, so that parts cannot run together."""
    hasher = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "little"))
        hasher.update(data)
    return hasher.digest()
