"""P4, SFT: one scored run to one training row, or the reason why not.

``SFT_NEVER`` is the first of the three walls. The others, the schema's type and the firewall's
scan, know nothing of it; each has to hold alone.
"""

from __future__ import annotations

from typing import Any

from pipeline.stages.export_messages import exported_messages, flat_messages, joined_flags
from pipeline.stages.export_options import ExportOptions
from pipeline.stages.fitness import unfit_for_training
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.row_identity import place_of, row_id
from pipeline.stages.sample import Sample, read_sample, refusal_of
from pipeline.stages.splits import split_of
from pipeline.stages.transcript import answers

# Do not loosen. A run of one of these categories in a training file is a breach.
SFT_NEVER = frozenset(("rejected", "needs_human_review"))


def sft_row(
    evidence: dict[str, Any],
    scored: dict[str, Any],
    options: ExportOptions,
    sample: Sample | Refusal | None = None,
) -> dict[str, Any] | Refusal:
    """The SFT row without ``recorded_at``, keys in the schema's order.

    A conversation is exported up to its last answer; its texts are views. ``sample`` saves
    reading the evidence again when the caller has done so. The pass rate of the task is not known
    yet: whoever has seen all runs adds it (``pass_rate``).
    """
    category = scored["category"]
    if category in SFT_NEVER:
        return Refusal(QuarantineReason.CATEGORY_NOT_ALLOWED)
    if sample is None:
        sample = read_sample(evidence)
    if isinstance(sample, Refusal):
        return sample
    refusal = (
        unfit_for_training(sample, options)
        or _nothing_to_learn(sample)
        or refusal_of(sample, sample.instruction, options.sft.max_tokens)
    )
    if refusal is not None:
        return refusal
    stream, task_id, run_id = evidence["stream"], evidence["task_id"], evidence["run_id"]
    instruction, context = sample.instruction or "", sample.context or ""
    if sample.messages is None:
        shape, messages = "flat", flat_messages(instruction, context, sample.response)
    else:
        shape, messages = "conversation", exported_messages(sample.messages)
    return {
        "id": row_id("sft", run_id),
        "shape": shape,
        "instruction": instruction,
        "context": context,
        "response": sample.response,
        "messages": messages,
        "tools": sample.tools,
        "source_run_id": run_id,
        "quality_score": category,
        "stream": stream,
        "task_id": task_id,
        "model_name": evidence["model_name"] or "",
        "score": scored["score"],
        "turns": sample.turns,
        "estimated_tokens": sample.estimated_tokens,
        "flags": joined_flags(evidence["flags"]),
        "split": split_of(evidence, sample.question, options),
        "provenance": place_of(evidence),
    }


def _nothing_to_learn(sample: Sample) -> Refusal | None:
    """A conversation whose log gives every answer a weight of 0 is to be shown, not to be learned."""
    if sample.messages is None or any(turn["weight"] != 0 for turn in answers(sample.messages)):
        return None
    return Refusal(QuarantineReason.NOTHING_TO_LEARN, "every answer has a weight of 0")
