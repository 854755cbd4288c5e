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
    ids: Counter[str] = Counter()
    for step in _answered(messages):
        match step:
            case LintCode():
                yield step
            case call, _:
                if call["id"]:
                    ids[call["id"]] += 1
    if any(count > 1 for count in ids.values()):
        yield LintCode.DOUBLED_CALL_ID


_Answered = tuple[dict[str, Any], str | None]


def _answered(messages: list[Message]) -> Iterator[_Answered | LintCode]:
    """Each call with the text of its result (None without one), and what does not come together.

    The calls of the last turn wait for their results in vain; that is no fault.
    """
    waiting: list[dict[str, Any]] = []
    for turn in messages:
        if turn["role"] == "tool":
            call = _taken(turn["tool_call_id"], waiting)
            yield LintCode.ORPHAN_TOOL_RESULT if call is None else (call, turn["content"] or "")
            continue
        if waiting:
            yield LintCode.MISSING_TOOL_RESULT
        yield from ((call, None) for call in waiting)
        waiting = list(turn["tool_calls"] or ())
    yield from ((call, None) for call in waiting)


def _taken(call_id: str | None, waiting: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The call that a result answers, off the list; where either has no id, the first one without."""
    for place, call in enumerate(waiting):
        if call_id is None or call["id"] in (None, "", call_id):
            return waiting.pop(place)
    return None


def _of_turns(messages: list[Message]) -> Iterator[LintCode]:
    for turn in messages:
        # What a tool gives may well be nothing.
        if turn["role"] != "tool" and not turn["tool_calls"] and not (turn["content"] or "").strip():
            yield LintCode.EMPTY_TURN
    if any_markup(texts_of(messages)):
        yield LintCode.TEMPLATE_MARKUP


def _of_calls(messages: list[Message], tools: str | None) -> Iterator[LintCode]:
    validators = validators_of(tools) if tools else {}
    same: Counter[tuple[str, str, str]] = Counter()
    for step in _answered(messages):
        if isinstance(step, LintCode):
            continue
        call, result = step
        yield from check_call(call["name"], call["arguments"], validators)
        if result is not None:
            same[call["name"], _canonical(call["arguments"]), result] += 1
    if any(count >= _REPEATED_AT for count in same.values()):
        yield LintCode.REPEATED_CALL


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
