"""Training files of OpenAI: demonstrations, preferences, and the older prompts with completions."""

from __future__ import annotations

from pipeline.settings.presets.preset import Preset

_PROMPTS = "messages[?role != 'assistant' && role != 'tool' && role != 'function'].content"
_PREFERRED = {
    "messages": {"path": "input.messages", "append": ["preferred_output"]},
    "verdict": {"const": "pass"},
}
_OTHER = {
    "messages": {"path": "input.messages", "append": ["non_preferred_output"]},
    "verdict": {"const": "fail"},
}

PRESET = Preset(
    title="OpenAI fine-tuning files",
    reads=(
        "A line is a demonstration (`messages`, with `tools` or `functions`), a preference (`input`, "
        "`preferred_output` and "
        "`non_preferred_output`, each an attempt), or an older `prompt` with its `completion`. Weights "
        "of turns are kept."
    ),
    task=(
        "Such files have no ids. A task is a `hash` of what was asked: all turns but those of the "
        "assistant and of tools."
    ),
    outcome=(
        "A preference says which output was better. A demonstration says nothing: that somebody chose "
        "it is yours to vouch for, "
        'with `verdict = { const = "pass" }`.'
    ),
    not_said=(
        "Which model wrote an answer, and when; where folders are named for models, take `_file.path`.",
        "Whether the less preferred output is wrong: it lost against the other one.",
    ),
    documented="<https://platform.openai.com/docs/guides/supervised-fine-tuning>",
    rules={
        "fields": {
            "task_id": {"hash": {"first_of": [_PROMPTS, f"input.{_PROMPTS}", "prompt"]}},
            "tools": {"first_of": ["tools", "functions", "input.tools"]},
        },
        "parts": [
            {"when": {"path": "messages", "exists": True}, "fields": {"messages": "messages"}},
            {"when": {"path": "preferred_output", "exists": True}, "fields": _PREFERRED},
            {"when": {"path": "non_preferred_output", "exists": True}, "fields": _OTHER},
            {
                "when": {"path": "completion", "exists": True},
                "fields": {"instruction": "prompt", "response": "completion"},
            },
        ],
    },
)
