"""What a rule costs a line: each source and step of its own, on values of the size that logs have.

Counted is the processor's time, so that a machine with other work to do gives the same figures.
"""

from __future__ import annotations

import json
import time
import timeit
from typing import Any

from pipeline.engine.likeness import load_likeness, said_in
from pipeline.settings.model import ExportSettings, SftSettings
from pipeline.settings.rules import MessagesRule, Rule, StreamRules
from pipeline.stages.sample import read_sample
from pipeline.storage.source_lines import iter_lines
from pipeline.streams.grouping import compile_grouping
from pipeline.streams.messages import compile_messages
from pipeline.streams.records import assembled, noted
from pipeline.streams.rules import compile_rule
from pipeline.streams.views import compile_view
from tests.benchmarks.figures import Figure, Table
from tests.pipeline.stages.builders import evidence

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
    "sample": read_sample(
        evidence(response=" ".join(f"word{number}" for number in range(400)), messages=None)
    ),
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
_LINES = 1000
GROUPINGS: dict[str, dict[str, Any]] = {
    "group by a field": {"group": {"by": "session"}},
    'unit = "file"': {"unit": "file"},
}
MESSAGES: dict[str, Any] = {
    "messages, 8 turns": "turns",
    "messages, 8 turns as JSON text": "turns_text",
    "messages, 8 turns of zip": [{"zip": {"role": "speakers", "content": "texts"}}],
    "messages, 8 items of Responses": "items",
}


def _assembler(section: dict[str, Any]) -> Any:
    """Finds the groups of ``_LINES`` lines of a kilobyte."""
    grouping = compile_grouping(StreamRules.model_validate({"fields": {"task_id": "_group"}, **section}), {})
    assert grouping is not None
    data = b"".join(
        json.dumps({"session": f"s{number // 10}", "at": number, "text": "word " * 190}).encode() + b"\n"
        for number in range(_LINES)
    )
    lines = list(iter_lines(data, 0, 1, at_end_of_file=True))
    return lambda _: assembled([noted(0, "data/s.jsonl", lines, {})], grouping)


def measure() -> Table:
    asked = {what: compile_rule(Rule.model_validate(rule), {}) for what, rule in RULES.items()}
    for what, path in MESSAGES.items():
        asked[what] = compile_messages(MessagesRule.model_validate({"path": path}), {})
    view = compile_view(StreamRules.model_validate({"fields": {"task_id": "_file.line"}}))
    assert view is not None
    asked["_file"] = lambda line: view(line, "data/runs.jsonl", 1)
    for what, grouping in GROUPINGS.items():
        asked[what] = _assembler(grouping)
    likeness = load_likeness(ExportSettings(sft=SftSettings(near_duplicates="report")))
    assert likeness is not None
    asked["near-duplicates, 400 words"] = lambda line: likeness.bands(said_in(line["sample"]))
    figures = []
    for what, get in asked.items():
        assert get(LINE) is not None, what
        lines = _LINES if what in GROUPINGS else 1
        figures.append(Figure(what, _microseconds(lambda get=get: get(LINE)) / lines, None, " µs"))
    return Table("Rules", f"One value of a line, best of {REPEATS}, one thread.", tuple(figures))


def _microseconds(call: Any) -> float:
    timer = timeit.Timer(call, timer=time.process_time)
    number, seconds = timer.autorange()
    number = max(1, int(number * SECONDS / seconds))
    return min(timer.repeat(REPEATS, number)) / number * 1e6
