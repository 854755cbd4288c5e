"""What the exporters read from one evidence row, worked out once: texts, length, keys, secrets.

Nothing here reads ``goal``, nor what follows the last answer: what the model never saw, or what
nobody answered, cannot reach an export, because no exporter sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.row_identity import KEY_BYTES
from pipeline.stages.sensitive import Sensitive, of_all, sensitive_in
from pipeline.stages.splits import asked_key, question_key
from pipeline.stages.text_keys import (
    AnswerKeys,
    answer_keys,
    answer_turn_key,
    asked_text_keys,
    asked_turn_key,
    digest_of_text,
    flat_prompt_key,
    question_keys,
    to_bytes,
    turn_keys_of,
)
from pipeline.stages.transcript import Message, first_text, last_answer, up_to_last_answer

Evidence = dict[str, Any]

# An estimate that needs no tokenizer: four bytes of UTF-8 a token, and four tokens of markup
# a message. docs/exports.md says what it is good for.
BYTES_A_TOKEN = 4
TOKENS_A_MESSAGE = 4

# Members of a turn that an export carries and that no key and no length is made of.
_BESIDE_A_TURN = ("name", "tool_call_id", "reasoning")

# What is asked comes again with each attempt, what is answered does not. About 300 bytes each.
_REMEMBERED_TEXTS = 4096


class AskedText(NamedTuple):
    """What there is to know of an instruction, a context or a system prompt.

    ``key`` is that of the text and ``form`` that of what was asked, None for a blank one (see
    ``text_keys``); ``digest`` is exact; ``question`` is for the split; ``size`` is in bytes of UTF-8.
    """

    key: bytes | None
    form: bytes | None
    digest: bytes
    size: int
    holds: Sensitive
    question: bytes | None


_remembered: dict[bytes, AskedText] = {}

# Names of source files and the like: the same text again and again, told without a digest of it.
_A_SHORT_TEXT = 200
_remembered_names: dict[str, Sensitive] = {}


def asked(text: str | None) -> AskedText:
    """Reads a text that was asked, or remembers having read it."""
    encoded = to_bytes(text) if text else b""
    digest = sha256(encoded).digest()
    known = _remembered.get(digest)
    if known is None:
        if len(_remembered) >= _REMEMBERED_TEXTS:
            _remembered.clear()
        said = text or ""
        known = AskedText(
            *asked_text_keys(said),
            digest,
            len(encoded),
            sensitive_in(encoded),
            asked_key(said),
        )
        _remembered[digest] = known
    return known


def _held_by(text: str) -> Sensitive:
    """What a text holds that comes again with every row of a log."""
    if len(text) > _A_SHORT_TEXT:
        return asked(text).holds
    known = _remembered_names.get(text)
    if known is None:
        if len(_remembered_names) >= _REMEMBERED_TEXTS:
            _remembered_names.clear()
        known = _remembered_names[text] = sensitive_in(to_bytes(text))
    return known


_NOTHING_ASKED = asked("")
_NO_TOOLS = frozenset(("", "null", "[]", "{}"))


class Sample(NamedTuple):
    """One attempt as exporters see it. ``messages`` end on the last answer; None for a flat run.

    In a conversation the three texts are its view: the first user turn, the system prompt, the
    last text that the assistant said ("" when it only called tools). ``task`` is what a playbook
    calls the task: the mapped instruction, which may be shorter than a first user turn with its
    pages of rules. The keys are those of ``text_keys``; ``question`` decides the split; ``holds``
    is what any text that could be exported has of credentials and personal data; ``flags`` are those
    of the evidence. ``tools`` is what the model was offered, as JSON text, and ``tools_key`` its digest;
    both are empty when it was offered none.
    """

    instruction: str | None
    context: str | None
    response: str
    messages: list[Message] | None
    task: str | None
    turns: int
    estimated_tokens: int
    holds: Sensitive
    flags: list[str]
    response_key: bytes
    loose_response_key: bytes
    instruction_key: bytes | None
    question_key: bytes
    task_question_key: bytes
    prompt_key: bytes
    turn_keys: bytes
    task_text_key: bytes | None
    context_key: bytes | None
    question: bytes
    tools: str
    tools_key: bytes


def read_sample(evidence: Evidence) -> Sample | Refusal:
    """The sample of ``evidence``, or why there is none: no response, or an empty one."""
    messages = evidence["messages"]
    if messages:
        return _read_conversation(evidence, messages)
    response = evidence["response"]
    if response is None:
        return Refusal(QuarantineReason.RESPONSE_NOT_RECORDED)
    keys = turn_keys_of(response)
    if keys is None:
        return Refusal(QuarantineReason.RESPONSE_EMPTY)
    said = answer_keys((keys,))
    instruction = asked(evidence["instruction"])
    context = asked(evidence["context"]) if evidence["context"] else _NOTHING_ASKED
    tools, offered = _tools(evidence)
    answer = to_bytes(response)
    size = instruction.size + context.size + offered.size + len(answer)
    tools_key = _tools_key(tools, offered)
    question = _flat_question(
        evidence["stream"],
        evidence["task_id"],
        (instruction.form, instruction.digest, instruction.question),
        (context.form, context.digest, context.question),
        tools_key,
    )
    return Sample(
        instruction=evidence["instruction"],
        context=evidence["context"],
        response=response,
        messages=None,
        task=evidence["instruction"],
        turns=1,
        estimated_tokens=estimated_tokens(size, 3 if context.size else 2),
        holds=of_all((instruction.holds, context.holds, *_rest_holds(evidence, answer, ()))),
        flags=evidence["flags"],
        response_key=said.strict,
        loose_response_key=said.loose,
        instruction_key=instruction.key,
        question_key=question.full,
        task_question_key=question.in_task,
        prompt_key=question.prompt,
        turn_keys=b"",
        task_text_key=instruction.key,
        context_key=context.key,
        question=question.side,
        tools=tools,
        tools_key=tools_key,
    )


class _FlatQuestion(NamedTuple):
    """The keys of what a flat run was asked; ``side`` decides the split."""

    full: bytes
    in_task: bytes
    prompt: bytes
    side: bytes


_Asked = tuple[bytes | None, bytes, bytes | None]
"""Form, digest and key for the split of an ``AskedText``."""


# Attempts of one task are asked the same.
@lru_cache(maxsize=_REMEMBERED_TEXTS)
def _flat_question(
    stream: str, task_id: str, instruction: _Asked, context: _Asked, tools_key: bytes
) -> _FlatQuestion:
    form, digest, side = instruction
    given_form, given_digest, given_side = context
    keys = question_keys(stream, task_id, [("user", form)], given_form)
    return _FlatQuestion(
        keys.full,
        keys.in_task,
        flat_prompt_key(digest, given_digest + tools_key),
        question_key((given_side, side)),
    )


def _read_conversation(evidence: Evidence, recorded: list[Message]) -> Sample | Refusal:
    messages = up_to_last_answer(recorded)
    if not messages:
        return Refusal(QuarantineReason.RESPONSE_EMPTY)
    keys, said, named = [], [], []
    answered: list[AnswerKeys] = []
    asked_turns: list[tuple[str, bytes | None]] = []
    asked_keys: list[bytes | None] = []
    system_keys: list[bytes | None] = []
    size, first_user = 0, None
    held: list[Sensitive] = []
    for turn in messages:
        content, calls = turn["content"] or "", turn["tool_calls"]
        named += [turn[name] for name in _BESIDE_A_TURN if turn.get(name)]
        if turn["role"] == "assistant":
            answer = turn_keys_of(content, calls)
            keys.append(answer_turn_key(answer))
            if answer is not None:
                answered.append(answer)
        elif not answered:
            prompt = asked(content)
            asked_turns.append((turn["role"], prompt.form))
            keys.append(asked_turn_key(turn, prompt.digest))
            (system_keys if turn["role"] == "system" else asked_keys).append(prompt.question)
            size += prompt.size
            held.append(prompt.holds)
            if first_user is None and turn["role"] == "user":
                first_user = prompt
            continue
        else:
            keys.append(asked_turn_key(turn, digest_of_text(content)))
        said.append(content)
        for call in calls or ():
            said += (call["name"], call["arguments"])
            if call["id"]:
                named.append(call["id"])
    if not answered:  # of characters that nobody sees
        return Refusal(QuarantineReason.RESPONSE_EMPTY)
    keys_of_all = answer_keys(answered)
    rest = to_bytes("\n".join(said))
    asked_first, system = first_text(messages, "user"), _system_prompt(messages)
    # A run that answered before it was asked has no key of it.
    instruction_key = None if first_user is None else first_user.key
    # A mapper may give task and policy beside the turns; the exports show them as views.
    tools, offered = _tools(evidence)
    task = asked(evidence["instruction"]) if evidence["instruction"] else _NOTHING_ASKED
    context = asked(evidence["context"]) if evidence["context"] and system is None else _NOTHING_ASKED
    question = question_keys(evidence["stream"], evidence["task_id"], asked_turns, context.form)
    return Sample(
        instruction=asked_first,
        context=evidence["context"] if system is None else system,
        response=last_answer(messages),
        messages=messages,
        task=evidence["instruction"] or asked_first,
        turns=len(answered),
        estimated_tokens=estimated_tokens(size + offered.size + len(rest), len(messages)),
        holds=of_all((*held, *_rest_holds(evidence, rest, named), task.holds, context.holds)),
        flags=evidence["flags"],
        response_key=keys_of_all.strict,
        loose_response_key=keys_of_all.loose,
        instruction_key=instruction_key,
        question_key=question.full,
        task_question_key=question.in_task,
        prompt_key=_tools_key(tools, offered),
        turn_keys=b"".join(keys),
        task_text_key=task.key or instruction_key,
        context_key=None,
        question=question_key(asked_keys)
        or question_key((asked_key(asked_first or ""),))
        or question_key(system_keys),
        tools=tools,
        tools_key=_tools_key(tools, offered),
    )


def _tools(evidence: Evidence) -> tuple[str, AskedText]:
    tools = offered_tools(evidence)
    return tools, asked(tools) if tools else _NOTHING_ASKED


def offered_tools(evidence: Evidence) -> str:
    """What the model was offered, as JSON text. A list of no tools is the same as none: ""."""
    tools = evidence["tools"]
    return "" if not tools or tools.strip() in _NO_TOOLS else str(tools)


def _tools_key(tools: str, offered: AskedText) -> bytes:
    return offered.digest[:KEY_BYTES] if tools else b""


def _system_prompt(messages: list[Message]) -> str | None:
    """The first text of the system that is not blank."""
    for turn in messages:
        if turn["role"] == "system" and asked(turn["content"]).form is not None:
            return str(turn["content"])
    return None


def _rest_holds(evidence: Evidence, said: bytes, named: Sequence[str]) -> list[Sensitive]:
    """What is held by the texts of one run alone, ``said``, and by all that an export says beside texts:
    names, ids, tools, labels, the source file.

    ``named`` are those of the turns. Tool definitions and source files come again with every row of
    a log, so they are read once.
    """
    own = [evidence["task_id"], evidence["model_name"] or "", *evidence["tags"], *named]
    found = [sensitive_in(said + to_bytes("\n" + "\n".join(own)))]
    for text in (evidence.get("tools"), evidence["provenance"]["source_file"]):
        if text:
            found.append(_held_by(text))
    return found


def estimated_tokens(text_bytes: int, messages: int) -> int:
    """About how many tokens so many bytes of UTF-8 in so many messages are."""
    return -(-text_bytes // BYTES_A_TOKEN) + TOKENS_A_MESSAGE * messages


def refusal_of(
    sample: Sample, instruction: str | None, max_tokens: int, tokens: int | None = None
) -> Refusal | None:
    """What every exporter asks of a sample, in this order: an instruction, its length, no secret.

    ``tokens`` is given where the exporter writes another text than the sample's own.
    """
    if not instruction or instruction.isspace():
        return Refusal(QuarantineReason.INSTRUCTION_MISSING)
    tokens = sample.estimated_tokens if tokens is None else tokens
    if tokens > max_tokens:
        return Refusal(QuarantineReason.TOO_LONG, f"about {tokens} tokens, max_tokens is {max_tokens}")
    if sample.holds.secret is not None:
        return Refusal(QuarantineReason.SECRET_FOUND, sample.holds.secret)
    return None


def asked_texts(sample: Sample) -> list[str]:
    """What users said, turn by turn: what test questions are looked for in. System prompts are not."""
    if sample.messages is None:
        return [text for text in (sample.instruction, sample.context) if text]
    return [turn["content"] for turn in sample.messages if turn["role"] == "user" and turn["content"]]


def answered_texts(sample: Sample) -> list[str]:
    """What the model said and called, turn by turn."""
    if sample.messages is None:
        return [sample.response]
    said: list[str] = []
    for turn in sample.messages:
        if turn["role"] == "assistant":
            said += [turn["content"]] if turn["content"] else []
            said += [call["arguments"] for call in turn["tool_calls"] or ()]
    return said
