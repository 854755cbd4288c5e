"""P4, RAG: one good run to one playbook, or the reason why not.

A playbook is read by a model that has a similar task before it: the task, what was given
beside it, and what the assistant did, step by step. Users' and tools' turns are left out.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from pipeline.stages.export_messages import joined_tags
from pipeline.stages.export_options import ExportOptions
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.row_identity import place_of, row_id
from pipeline.stages.sample import Sample, estimated_tokens, read_sample, refusal_of
from pipeline.stages.splits import split_of
from pipeline.stages.text_keys import to_bytes
from pipeline.stages.transcript import Message, answers

RAG_NEVER = frozenset(("rejected", "needs_human_review"))

TITLE_CHARACTERS = 96
_MOSTLY_ENOUGH = 112
_HEADING = {"accepted": "What worked", "partially_accepted": "What partly worked"}


def rag_row(
    evidence: dict[str, Any],
    scored: dict[str, Any],
    options: ExportOptions,
    sample: Sample | Refusal | None = None,
) -> dict[str, Any] | Refusal:
    """The RAG row without ``recorded_at``, keys in the schema's order."""
    category = scored["category"]
    if category in RAG_NEVER:
        return Refusal(QuarantineReason.CATEGORY_NOT_ALLOWED)
    if sample is None:
        sample = read_sample(evidence)
    if isinstance(sample, Refusal):
        return sample
    task = sample.task
    content = _content(task or "", sample, category)
    tokens = estimated_tokens(len(content) if content.isascii() else len(to_bytes(content)), 1)
    refusal = refusal_of(sample, task, options.rag.max_tokens, tokens)
    if refusal is not None:
        return refusal
    stream, task_id, run_id = evidence["stream"], evidence["task_id"], evidence["run_id"]
    return {
        "id": row_id("rag", run_id),
        "title": title_of(task or ""),
        "content": content,
        "tags": joined_tags(clean_tags(evidence["tags"])),
        "source_run_id": run_id,
        "success_score": scored["score"],
        "source_category": category,
        "embedding_text": task,
        "stream": stream,
        "task_id": task_id,
        "model_name": evidence["model_name"] or "",
        "score": scored["score"],
        "turns": sample.turns,
        "estimated_tokens": tokens,
        "split": split_of(evidence, sample.question, options),
        "provenance": place_of(evidence),
    }


def clean_tags(tags: list[str]) -> list[str]:
    """Labels as one index takes them: white space folded, control characters out, none twice or empty."""
    if not tags:
        return []
    folded = (" ".join("".join(filter(_is_shown, tag)).split()) for tag in tags)
    return list(dict.fromkeys(tag for tag in folded if tag))


def _is_shown(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in ("Cc", "Cf")


def title_of(task: str) -> str:
    """The start of a text on one line, cut at a word where that leaves most of it."""
    # Of most texts the beginning is enough: what more of a text gives only goes on from there.
    subject = " ".join(task[:_MOSTLY_ENOUGH].split())
    if len(subject) <= TITLE_CHARACTERS:
        subject = " ".join(task[: 4 * TITLE_CHARACTERS].split())
    if len(subject) <= TITLE_CHARACTERS:
        return subject
    cut = subject[: TITLE_CHARACTERS - 1]
    at_word = cut.rfind(" ")
    return (cut[:at_word] if at_word > TITLE_CHARACTERS // 2 else cut) + "…"


def _content(task: str, sample: Sample, category: str) -> str:
    parts = [f"# Task\n\n{task}"]
    if sample.messages is None and sample.context:
        parts.append(f"# Given\n\n{sample.context}")
    heading = _HEADING.get(category, category)
    if sample.messages is None:
        parts.append(f"# {heading}\n\n{sample.response}")
    else:
        steps = answers(sample.messages)
        parts.append(f"# {heading}")
        parts += [f"## Step {number}\n\n{_step(turn)}" for number, turn in enumerate(steps, 1)]
    return "\n\n".join(parts)


def _step(turn: Message) -> str:
    lines = [turn["content"]] if turn["content"] and not turn["content"].isspace() else []
    lines += [f"`{call['name']}` {call['arguments']}" for call in turn["tool_calls"] or ()]
    return "\n".join(lines)
