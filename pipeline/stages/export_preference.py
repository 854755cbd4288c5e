"""P4, preference: which runs may stand in a pair, and the row of a chosen pair.

Pairs are decided in ``pairing`` from facts alone, and those facts go into the row of a pair: what a
worker has read of a run is not read again. Of the few runs that make a pair the texts are copied.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pipeline.stages.export_messages import exported_messages, flat_messages
from pipeline.stages.export_options import ExportOptions
from pipeline.stages.fitness import unfit_for_training
from pipeline.stages.pairing import pair_reason, shared_messages
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.row_identity import place_of, row_id
from pipeline.stages.sample import Sample, estimated_tokens, offered_tools, read_sample, refusal_of
from pipeline.stages.scoring_rules import RANK
from pipeline.stages.splits import split_of
from pipeline.stages.text_keys import TURN_KEY_BYTES, to_bytes
from pipeline.stages.transcript import Message


def side_refusal(sample: Sample | Refusal, options: ExportOptions) -> Refusal | None:
    """Why a run of a ranked category can stand on neither side of a pair, or None."""
    if isinstance(sample, Refusal):
        return sample
    return unfit_for_training(sample, options) or refusal_of(
        sample, sample.instruction, options.preference.max_tokens
    )


class Side(NamedTuple):
    """One run of a pair: its evidence, and what is known of it without reading its texts again.

    ``turn_keys`` are None for a flat run; the keys are those of ``text_keys``. ``tokens`` are those of the
    whole run, ``split`` is where rows of its question go.
    """

    evidence: dict[str, Any]
    category: str
    score: float
    response_key: bytes
    loose_response_key: bytes
    prompt_key: bytes
    turn_keys: bytes | None
    tokens: int
    split: str


def preference_row(
    chosen_evidence: dict[str, Any],
    chosen_scored: dict[str, Any],
    rejected_evidence: dict[str, Any],
    rejected_scored: dict[str, Any],
    options: ExportOptions,
    *,
    attempts: int = 2,
    passed: int = 1,
) -> dict[str, Any] | Refusal:
    """``pair_row`` of two runs of which nothing is known but their rows."""
    if chosen_scored["category"] not in RANK or rejected_scored["category"] not in RANK:
        return Refusal(QuarantineReason.CATEGORY_NOT_ALLOWED)
    chosen = _side(chosen_evidence, chosen_scored, options)
    if isinstance(chosen, Refusal):
        return chosen
    rejected = _side(rejected_evidence, rejected_scored, options)
    if isinstance(rejected, Refusal):
        return rejected
    return pair_row(chosen, rejected, options, attempts=attempts, passed=passed)


def _side(evidence: dict[str, Any], scored: dict[str, Any], options: ExportOptions) -> Side | Refusal:
    sample = read_sample(evidence)
    if isinstance(sample, Refusal):
        return sample
    refusal = side_refusal(sample, options)
    if refusal is not None:
        return refusal
    return Side(
        evidence=evidence,
        category=scored["category"],
        score=scored["score"],
        response_key=sample.response_key,
        loose_response_key=sample.loose_response_key,
        prompt_key=sample.prompt_key,
        turn_keys=None if sample.messages is None else sample.turn_keys,
        tokens=sample.estimated_tokens,
        split=split_of(evidence, sample.question, options),
    )


def pair_row(
    chosen: Side, rejected: Side, options: ExportOptions, *, attempts: int, passed: int
) -> dict[str, Any] | Refusal:
    """The row of a pair without ``recorded_at``, keys in the schema's order.

    ``attempts`` and ``passed`` are those of the task, of which no less than this pair is known.

    The guards repeat what ``choose_pairs`` has seen to: a pair is refused here by itself, whoever
    chose it.
    """
    if chosen.category not in RANK or rejected.category not in RANK:
        return Refusal(QuarantineReason.CATEGORY_NOT_ALLOWED)
    if RANK[chosen.category] <= RANK[rejected.category]:
        return Refusal(QuarantineReason.NO_COUNTERPART, "the chosen run does not rank higher")
    better_run, worse_run = chosen.evidence, rejected.evidence
    if better_run["run_id"] == worse_run["run_id"]:
        return Refusal(QuarantineReason.NO_COUNTERPART, "both sides are the same run")
    stream, task_id = better_run["stream"], better_run["task_id"]
    if (stream, task_id) != (worse_run["stream"], worse_run["task_id"]):
        return Refusal(QuarantineReason.PROMPT_DIFFERS, "the runs are of two tasks")
    if chosen.response_key == rejected.response_key:
        return Refusal(QuarantineReason.DUPLICATE_SAMPLE, "both sides are the same text")
    if chosen.loose_response_key and chosen.loose_response_key == rejected.loose_response_key:
        return Refusal(QuarantineReason.CONFLICTING_VERDICT, "both sides say the same")
    tools = offered_tools(better_run)
    texts = _texts_of_pair(chosen, rejected) if tools == offered_tools(worse_run) else None
    if texts is None:
        return Refusal(QuarantineReason.PROMPT_DIFFERS)
    prompt, better, worse = texts
    is_flat = chosen.turn_keys is None
    tokens = max(chosen.tokens, rejected.tokens)
    if options.preference.completion == "first_turn" and not is_flat:
        better, worse = _first_turn(better), _first_turn(worse)
        if not better or not worse:
            return Refusal(
                QuarantineReason.RESPONSE_EMPTY, "a side has no text or call before another speaks"
            )
        lengths = [_tokens_of([*prompt, *side], tools) for side in (better, worse)]
        tokens, gap = max(lengths), options.preference.max_length_gap
        if gap is not None and tokens - min(lengths) > gap:
            return Refusal(QuarantineReason.LENGTH_GAP, f"{tokens - min(lengths)} tokens")
    chosen_run_id, rejected_run_id = better_run["run_id"], worse_run["run_id"]
    return {
        "id": row_id("pref", chosen_run_id, rejected_run_id),
        "shape": "flat" if is_flat else "conversation",
        "prompt": prompt,
        "chosen": better,
        "rejected": worse,
        "tools": tools,
        "reason": pair_reason(chosen.category, rejected.category).value,
        "chosen_run_id": chosen_run_id,
        "rejected_run_id": rejected_run_id,
        "stream": stream,
        "task_id": task_id,
        "chosen_model_name": better_run["model_name"] or "",
        "rejected_model_name": worse_run["model_name"] or "",
        "chosen_score": chosen.score,
        "rejected_score": rejected.score,
        "attempts": attempts,
        "passed": passed,
        "turns": sum(1 for turn in better if turn["role"] == "assistant" and _speaks(turn)),
        "estimated_tokens": tokens,
        "split": chosen.split,
        "chosen_provenance": place_of(better_run),
        "rejected_provenance": place_of(worse_run),
    }


def _texts_of_pair(chosen: Side, rejected: Side) -> tuple[list[Message], list[Message], list[Message]] | None:
    """Prompt, better and worse answer, or None when the two runs were asked different things."""
    if chosen.turn_keys is None or rejected.turn_keys is None:
        both_are_flat = chosen.turn_keys is None and rejected.turn_keys is None
        if not both_are_flat or chosen.prompt_key != rejected.prompt_key:
            return None
        asked = chosen.evidence["instruction"] or "", chosen.evidence["context"] or ""
        *prompt, answer = flat_messages(*asked, chosen.evidence["response"])
        return prompt, [answer], flat_messages(*asked, rejected.evidence["response"])[-1:]
    shared = shared_messages(chosen.turn_keys, rejected.turn_keys)
    if shared is None:
        return None
    better = _turns(chosen.evidence, chosen.turn_keys)
    worse = _turns(rejected.evidence, rejected.turn_keys, shared)
    return better[:shared], better[shared:], worse


def _turns(evidence: dict[str, Any], turn_keys: bytes, start: int = 0) -> list[Message]:
    """The turns from ``start`` to the last answer; there is a key for each turn up to that."""
    return exported_messages(evidence["messages"][start : len(turn_keys) // TURN_KEY_BYTES])


def _first_turn(side: list[Message]) -> list[Message]:
    """The first turn of a side that says something, if nobody else speaks before it; else nothing."""
    for turn in side:
        if turn["role"] != "assistant":
            return []
        if _speaks(turn):
            return [turn]
    return []


def _speaks(turn: Message) -> bool:
    """``transcript.spoke`` for a turn as it is exported."""
    return bool(turn["tool_calls"]) or not (not turn["content"] or turn["content"].isspace())


def _tokens_of(turns: list[Message], tools: str) -> int:
    texts = (turn["content"] + turn["tool_calls"] for turn in turns)
    return estimated_tokens(len(to_bytes(tools)) + sum(len(to_bytes(text)) for text in texts), len(turns))
