"""What the exporters read from one evidence row: who was asked what, what was answered, how long.

Nothing here reads ``goal`` or ``tools``' results after the last answer: what the model never
saw cannot reach an export, because no exporter sees it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.secrets import secret_in
from pipeline.stages.transcript import Message, answers, first_text, last_answer, up_to_last_answer

Evidence = dict[str, Any]

# An estimate that needs no tokenizer: four bytes of UTF-8 a token, and four tokens of markup
# a message. docs/exports.md says what it is good for.
BYTES_A_TOKEN = 4
TOKENS_A_MESSAGE = 4


class Sample(NamedTuple):
    """One attempt as exporters see it. ``messages`` end on the last answer; None for a flat run.

    In a conversation the three texts are its view: the first user turn, the system prompt, the
    last text that the assistant said ("" when it only called tools).
    """

    instruction: str | None
    context: str | None
    response: str
    messages: list[Message] | None
    turns: int
    estimated_tokens: int
    secret: str | None


def read_sample(evidence: Evidence) -> Sample | Refusal:
    """The sample of ``evidence``, or why there is none: no response, or an empty one."""
    messages = evidence["messages"]
    if messages:
        return _read_conversation(evidence, messages)
    response = evidence["response"]
    if response is None:
        return Refusal(QuarantineReason.RESPONSE_NOT_RECORDED)
    if not response or response.isspace():
        return Refusal(QuarantineReason.RESPONSE_EMPTY)
    instruction, context = evidence["instruction"], evidence["context"]
    texts = (instruction or "", context or "", response)
    return Sample(
        instruction=instruction,
        context=context,
        response=response,
        messages=None,
        turns=1,
        estimated_tokens=estimated_tokens(sum(map(utf8_size, texts)), 2 + bool(context)),
        secret=secret_in("\n".join((*texts, *evidence["tags"]))),
    )


def _read_conversation(evidence: Evidence, recorded: list[Message]) -> Sample | Refusal:
    messages = up_to_last_answer(recorded)
    if not messages:
        return Refusal(QuarantineReason.RESPONSE_EMPTY)
    texts = texts_of(messages)
    system = first_text(messages, "system")
    # A mapper may give the policy and the task beside the turns; they are exported as views.
    beside = (evidence["instruction"] or "", evidence["context"] or "", *evidence["tags"])
    return Sample(
        instruction=first_text(messages, "user"),
        context=evidence["context"] if system is None else system,
        response=last_answer(messages),
        messages=messages,
        turns=len(answers(messages)),
        estimated_tokens=estimated_tokens(sum(map(utf8_size, texts)), len(messages)),
        secret=secret_in("\n".join((*texts, *beside))),
    )


def texts_of(messages: list[Message]) -> list[str]:
    """Everything that a message can say: text, names and arguments of calls."""
    texts = []
    for turn in messages:
        if turn["content"]:
            texts.append(turn["content"])
        for call in turn["tool_calls"] or ():
            texts += (call["name"], call["arguments"])
    return texts


def utf8_size(text: str) -> int:
    """Length of ``text`` in bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def estimated_tokens(text_bytes: int, messages: int) -> int:
    """About how many tokens so many bytes of UTF-8 in so many messages are."""
    return -(-text_bytes // BYTES_A_TOKEN) + TOKENS_A_MESSAGE * messages


def row_id(prefix: str, *run_ids: str) -> str:
    """The id of an exported row: the same runs give the same id on every machine."""
    digest = sha256("\0".join(run_ids).encode("utf-8", "surrogatepass"))
    return f"{prefix}-{digest.hexdigest()[:16]}"


def split_of(stream: str, task_id: str, validation_share: float) -> str:
    """Train or validation, by a hash of the task: all attempts of a task are on one side."""
    digest = sha256(f"{stream}\0{task_id}".encode("utf-8", "surrogatepass")).digest()
    return "validation" if int.from_bytes(digest[:8], "big") < validation_share * 2**64 else "train"


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
    if sample.secret is not None:
        return Refusal(QuarantineReason.SECRET_FOUND, sample.secret)
    return None
