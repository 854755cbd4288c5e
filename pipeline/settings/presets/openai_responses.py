"""OpenAI's Responses API: items that list what the model thought, said and called."""

from __future__ import annotations

from pipeline.settings.presets.preset import Preset
from pipeline.settings.presets.shared import listed, provider, said_by, text_at

_MODEL = {"first_of": ["response.model", "model", "request.model"]}
_INPUT = {"first_of": [listed("request.input"), listed("input")]}
_PROMPT = {"first_of": [text_at("request.input"), text_at("input")]}

PRESET = Preset(
    title="OpenAI Responses",
    reads=(
        'A line is a request logged beside its response, `{"request": …, "response": …}`, or both in '
        "one object with "
        "`input` and `output`. Reasoning, text and calls of one answer become one turn."
    ),
    task=(
        "`task_id`, `metadata.task_id` or `id`. A response's own id is another one for each attempt, "
        "so it is not taken: without "
        "any of these a task is a `hash` of instructions and input."
    ),
    outcome=(
        "None. Map what your harness says of a run: `reward`, `verdict` or markers. A response with an "
        "`error` is `environment_error`."
    ),
    not_said=(
        "What stood before, where a request goes on from `previous_response_id` or a "
        "`conversation`: only its own input is in the line.",
        "The reasoning, where it is encrypted or without a summary: `reasoning_missing`. A summary "
        "is not the reasoning itself.",
        "What tools of the provider did (web search, code interpreter): a conversation with such "
        "an item skips its line, by name.",
    ),
    documented="<https://platform.openai.com/docs/api-reference/responses>",
    rules={
        "fields": {
            "task_id": {
                "first_of": [
                    "task_id",
                    "metadata.task_id",
                    "id",
                    {
                        "hash": [
                            {"first_of": ["request.instructions", "instructions", "response.instructions"]},
                            {"first_of": ["request.input", "input"]},
                        ],
                        "skip_missing": True,
                    },
                ]
            },
            "timestamp": {
                "first_of": ["timestamp", "created_at", "response.created_at"],
                "time": ["iso", "epoch_seconds"],
            },
            "model_name": _MODEL,
            "model_provider": provider(_MODEL),
            "messages": {
                "path": [_INPUT, said_by("user", _PROMPT)],
                "append": ["response.output", "output"],
                "system": {
                    "first_of": [
                        text_at("request.instructions"),
                        text_at("instructions"),
                        text_at("response.instructions"),
                    ]
                },
            },
            "tools": {"first_of": ["request.tools", "tools", "response.tools"]},
            "finish_reason": {
                "first_of": [
                    "response.incomplete_details.reason",
                    "incomplete_details.reason",
                    "response.status",
                    "status",
                ]
            },
            "environment_error": {"first_of": ["response.error", "error"]},
            "tokens": {"first_of": ["response.usage.total_tokens", "usage.total_tokens"]},
        }
    },
)
