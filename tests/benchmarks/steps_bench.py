"""What a rule costs a line: each source and step of its own, on values of the size that logs have."""

from __future__ import annotations

import json
import timeit
from typing import Any

from pipeline.settings.rules import MessagesRule, Rule, StreamRules
from pipeline.streams.messages import compile_messages
from pipeline.streams.rules import compile_rule
from pipeline.streams.views import compile_view
from tests.benchmarks.figures import Figure, Table

REPEATS, SECONDS = 5, 0.05
_TURNS = [
    {"role": "user", "content": "Say something of the weather in Oslo, please."},
    {"role": "assistant", "content": "It rains."},
] * 4
_CALL = {"type": "function_call", "call_id": "c", "name": "weather", "arguments": '{"city":"Oslo"}'}
_ITEMS = [
    {"role": "user", "content": "Rain in Oslo?"},
    *[{"type": "reasoning", "summary": [{"text": "Look."}]}, _CALL],
    *[{"type": "function_call_output", "call_id": "c", "output": "rain"}] * 2,
    *[_CALL, {"type": "function_call_output", "call_id": "c", "output": "rain"}],
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yes."}]},
]
LINE: dict[str, Any] = {
    "id": 7,
    "path": "data/outputs/gpt-4/gsm8k/results.jsonl",
    "log": "== step done\n" * 400 + "3 passed in 0.1s",
    "text": json.dumps({"messages": _TURNS}),
    "turns": _TURNS,
    "turns_text": json.dumps(_TURNS),
    "items": _ITEMS,
    "speakers": ["human", "ai"] * 4,
    "texts": ["Say something of the weather."] * 8,
    "drafts": ["a", "b"],
    "best": 1,
    "objects": [{"a": number, "b": "x" * 20} for number in range(50)],
}
RULES: dict[str, dict[str, Any]] = {
    "a plain path": {"path": "id"},
    "json and get, 0.5 KB of text": {"path": "text", "json": True, "get": "messages"},
    "zip of two lists of 8": {"zip": {"role": "speakers", "content": "texts"}},
    "at": {"path": "drafts", "at": "best"},
    "hash of two texts": {"hash": ["path", "id"]},
    "regex, a path seen before": {"path": "path", "regex": "/outputs/([^/]+)/"},
    "matches, 5 KB of text": {
        "const": "passed",
        "when": {"path": "log", "matches": r"\b[1-9][0-9]* passed\b"},
    },
    "lenient": {"path": "id", "lenient": True},
    "JMESPath, 50 objects": {"path": "objects[].{a: a, b: b}"},
}
MESSAGES: dict[str, Any] = {
    "messages, 8 turns": "turns",
    "messages, 8 turns as JSON text": "turns_text",
    "messages, 8 turns of zip": [{"zip": {"role": "speakers", "content": "texts"}}],
    "messages, 8 items of Responses": "items",
}


def measure() -> Table:
    asked = {what: compile_rule(Rule.model_validate(rule), {}) for what, rule in RULES.items()}
    for what, path in MESSAGES.items():
        asked[what] = compile_messages(MessagesRule.model_validate({"path": path}), {})
    view = compile_view(StreamRules.model_validate({"fields": {"task_id": "_file.line"}}))
    assert view is not None
    asked["_file"] = lambda line: view(line, "data/runs.jsonl", 1)
    figures = []
    for what, get in asked.items():
        assert get(LINE) is not None, what
        figures.append(Figure(what, _microseconds(lambda get=get: get(LINE)), None, " µs"))
    return Table("Rules", f"One value of a line, best of {REPEATS}, one thread.", tuple(figures))


def _microseconds(call: Any) -> float:
    timer = timeit.Timer(call)
    number, seconds = timer.autorange()
    number = max(1, int(number * SECONDS / seconds))
    return min(timer.repeat(REPEATS, number)) / number * 1e6
