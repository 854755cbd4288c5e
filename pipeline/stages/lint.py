"""What is wrong with a conversation that a model is to learn from. Pure: it refuses nothing by itself.

Most chat templates take such a conversation, some raise, and some put other turns into the prompt
than those that there were. ``[export] refuse`` names the codes whose rows are kept out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pipeline.contracts.lint import LintCode
from pipeline.stages.markup import any_markup
from pipeline.stages.tool_schemas import check_call, validators_of
from pipeline.stages.transcript import Message, up_to_last_answer

_REPEATED_AT = 3
_ORDER = {code: place for place, code in enumerate(LintCode)}


def lint_evidence(evidence: dict[str, Any]) -> tuple[LintCode, ...]:
    """The codes of one run, each once and in their order; a flat run has texts only."""
    messages = evidence["messages"]
    if messages:
        return lint(up_to_last_answer(messages) or messages, evidence["tools"])
    return lint_texts(evidence["context"], evidence["instruction"], evidence["response"])


def lint_texts(*texts: str | None) -> tuple[LintCode, ...]:
    """The codes of a run without turns."""
    return (LintCode.TEMPLATE_MARKUP,) if any_markup(texts) else ()


def lint(messages: list[Message], tools: str | None) -> tuple[LintCode, ...]:
    """The codes of a conversation; ``tools`` are the definitions that its model saw, as JSON text."""
    found = {*_of_order(messages), *_of_results(messages), *_of_turns(messages), *_of_calls(messages, tools)}
    return tuple(sorted(found, key=_ORDER.__getitem__))


def texts_of(messages: list[Message]) -> Iterator[str | None]:
    """All texts of a conversation that a template puts into a prompt."""
    for turn in messages:
        yield turn["content"]
        yield turn["reasoning"]
        for call in turn["tool_calls"] or ():
            yield call["name"]
            yield call["arguments"]


def _of_order(messages: list[Message]) -> Iterator[LintCode]:
    spoken = [turn for turn in messages if turn["role"] != "system"]
    if not spoken or spoken[0]["role"] != "user":
        yield LintCode.FIRST_TURN
    start = next((place for place, turn in enumerate(messages) if turn["role"] != "system"), len(messages))
    if any(turn["role"] == "system" for turn in messages[start:]):
        yield LintCode.MID_SYSTEM
    for turn, following in pairwise(spoken):
        # An assistant that calls and speaks on without a result is another matter.
        if turn["role"] == following["role"] != "tool" and not turn["tool_calls"]:
            yield LintCode.ALTERNATION


def _of_results(messages: list[Message]) -> Iterator[LintCode]:
    """Calls and their results, held against each other; the calls of the last turn wait for theirs."""
    waiting: list[str | None] = []
    ids: Counter[str] = Counter()
    for turn in messages:
        if turn["role"] != "tool":
            if waiting:
                yield LintCode.MISSING_TOOL_RESULT
            waiting = [call["id"] for call in turn["tool_calls"] or ()]
            ids.update(call_id for call_id in waiting if call_id)
        elif not _answered(turn["tool_call_id"], waiting):
            yield LintCode.ORPHAN_TOOL_RESULT
    if any(count > 1 for count in ids.values()):
        yield LintCode.DOUBLED_CALL_ID


def _answered(call_id: str | None, waiting: list[str | None]) -> bool:
    """Take the call that a result answers off the list. Without an id it answers the first one."""
    answers = call_id if call_id in waiting else None if None in waiting else call_id
    if call_id is None and waiting:
        waiting.pop(0)
        return True
    if answers not in waiting:
        return False
    waiting.remove(answers)
    return True


def _of_turns(messages: list[Message]) -> Iterator[LintCode]:
    for turn in messages:
        # What a tool gives may well be nothing.
        if turn["role"] != "tool" and not turn["tool_calls"] and not (turn["content"] or "").strip():
            yield LintCode.EMPTY_TURN
    if any_markup(texts_of(messages)):
        yield LintCode.TEMPLATE_MARKUP


def _of_calls(messages: list[Message], tools: str | None) -> Iterator[LintCode]:
    validators = validators_of(tools) if tools else {}
    results = {turn["tool_call_id"]: turn["content"] for turn in messages if turn["role"] == "tool"}
    same: Counter[tuple[str, str, str | None]] = Counter()
    for place, turn in enumerate(messages):
        for number, call in enumerate(turn["tool_calls"] or ()):
            yield from check_call(call["name"], call["arguments"], validators)
            result = results.get(call["id"]) if call["id"] else _result_at(messages, place + 1 + number)
            same[call["name"], _canonical(call["arguments"]), result] += 1
    if any(count >= _REPEATED_AT for count in same.values()):
        yield LintCode.REPEATED_CALL


def _result_at(messages: list[Message], place: int) -> str | None:
    if place < len(messages) and messages[place]["role"] == "tool":
        content: str | None = messages[place]["content"]
        return content
    return None


def _canonical(arguments: str) -> str:
    """Equal for two texts of the same JSON value; a text that is none stands for itself."""
    try:
        value = json.loads(arguments, parse_float=_number) if arguments.strip() else {}
        return json.dumps(value, sort_keys=True)
    except (ValueError, RecursionError, OverflowError):
        return arguments


def _number(text: str) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() else number
