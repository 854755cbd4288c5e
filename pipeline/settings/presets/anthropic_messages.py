"""Anthropic's Messages API, and the results of its batches."""

from __future__ import annotations

from pipeline.settings.presets.preset import Preset
from pipeline.settings.presets.shared import listed, provider, text_at

_MODEL = {"first_of": ["response.model", "result.message.model", "request.model", "params.model", "model"]}
_SYSTEM = ("request.system", "params.system", "system")


def _usage(at: str) -> dict[str, object]:
    """Input and output; null where one of them is not said."""
    return {"path": f"sum([{at}.usage.input_tokens, {at}.usage.output_tokens])", "lenient": True}


PRESET = Preset(
    title="Anthropic messages",
    reads=(
        'A line is a request logged beside its response, `{"request": …, "response": …}`; a request of '
        "a batch "
        "(`custom_id`, `params`) joined with its `result`; or chat JSONL with `system` and `messages`. "
        "`tool_use` and `tool_result` "
        "become calls and turns of tools, thinking becomes reasoning."
    ),
    task=(
        "`task_id`, `metadata.task_id`, `custom_id` or `id`; without any of these a `hash` of system "
        "prompt and messages. A response's own id is another "
        "one for each attempt and is not taken."
    ),
    outcome=(
        "None. Map what your harness says of a run: `reward`, `verdict` or markers. A batch result "
        "that is an error is `environment_error`."
    ),
    not_said=(
        "Thinking that is redacted: `reasoning_missing`.",
        "The request, in a file of batch results alone: it has no messages. Join the requests by "
        "`custom_id`, with a look-up stream.",
        "What tools of the provider did (web search, code execution): such a part skips its line, by name.",
    ),
    documented="<https://docs.anthropic.com/en/api/messages>",
    rules={
        "fields": {
            "task_id": {
                "first_of": [
                    "task_id",
                    "metadata.task_id",
                    "custom_id",
                    "id",
                    {
                        "hash": [
                            {"first_of": list(_SYSTEM)},
                            {"first_of": ["request.messages", "params.messages", "messages"]},
                        ],
                        "skip_missing": True,
                    },
                ]
            },
            "timestamp": {"first_of": ["timestamp", "created_at"], "time": ["iso", "epoch_seconds"]},
            "model_name": _MODEL,
            "model_provider": provider(_MODEL),
            "messages": {
                "path": ["request.messages", "params.messages", "messages"],
                "append": [
                    {"path": "response", "when": {"path": "response.role", "exists": True}},
                    "result.message",
                ],
                "system": {"first_of": [rule for path in _SYSTEM for rule in (text_at(path), listed(path))]},
            },
            "tools": {"first_of": ["request.tools", "params.tools", "tools"]},
            "environment_error": {"first_of": ["result.error", "response.error", "error"]},
            "tokens": {"first_of": [_usage("response"), _usage("result.message")]},
        }
    },
)
