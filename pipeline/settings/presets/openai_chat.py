"""Chat completions of OpenAI and of the many APIs that speak as it does."""

from __future__ import annotations

from typing import Any

from pipeline.settings.presets.preset import Preset
from pipeline.settings.presets.shared import provider

_MODEL: dict[str, Any] = {"first_of": ["response.model", "model", "request.model"]}

PRESET = Preset(
    title="OpenAI chat completions",
    reads=(
        'A line is a request logged beside its response, `{"request": …, "response": …}`, or chat '
        "JSONL with "
        "`messages`. Each of several `choices` is an attempt."
    ),
    task=(
        "`task_id`, `id`, `request_id` or the response's id, whichever is there first. A response's id "
        "is another one "
        "for each attempt: where your log names the task elsewhere, say so, or take `task_id = { hash "
        '= "request.messages" }`.'
    ),
    outcome="None. Map what your harness says of a run: `reward`, `verdict` or markers.",
    not_said=(
        "The model's reasoning, where the provider keeps it: a row with encrypted reasoning is "
        "flagged `reasoning_missing`.",
        "The provider, unless the model's name tells it (`anthropic/…`, `claude-…`, `gpt-4…`); it "
        "is null then.",
        "The tools, in a log of `messages` without the request: rows that call some are flagged "
        "`tools_not_recorded`.",
    ),
    documented="<https://platform.openai.com/docs/api-reference/chat>",
    rules={
        # Either chat JSONL ({"messages": …}) or a request logged beside its response.
        "fields": {
            "task_id": {"first_of": ["task_id", "id", "request_id", "response.id"]},
            "timestamp": {
                "first_of": ["timestamp", "created", "response.created"],
                "time": ["iso", "epoch_seconds"],
            },
            "model_name": _MODEL,
            "model_provider": provider(_MODEL),
            "messages": {
                "path": ["messages", "request.messages"],
                # Of several answers each is an attempt of its own.
                "append": ["_part.message"],
            },
            "tools": {"first_of": ["tools", "request.tools"]},
            "finish_reason": "_part.finish_reason",
            "tokens": {"first_of": ["usage.total_tokens", "response.usage.total_tokens"]},
        },
        "parts": {"each": {"first_of": ["choices", "response.choices"]}, "optional": True},
    },
)
