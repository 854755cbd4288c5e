"""Session files of Claude Code."""

from __future__ import annotations

from pipeline.settings.presets.preset import Preset
from pipeline.settings.presets.shared import provider

_ANSWERS = "_lines[?type == 'assistant' && message.model != '<synthetic>']"
_MODEL = {"path": f"{_ANSWERS}.message.model | [-1]"}

PRESET = Preset(
    title="Claude Code sessions",
    reads=(
        "`~/.claude/projects/*/*.jsonl`, copied into the workspace or named in `source_roots`. A "
        "line is a block of a turn; all lines "
        "of one session are one attempt, walked from line to line by `parentUuid`: what the user "
        "went back from is left out, and so are side "
        "chains (sub-agents). After a compaction the attempt is what the model had then: the "
        "summary, and what came after it."
    ),
    task=(
        "A `hash` of the folder and the first thing that the user said: sessions know no tasks. "
        "Where you run one task several times, say "
        'what tells it, the folder perhaps: `task_id = "cwd"`.'
    ),
    outcome=(
        "Nothing. Map what you know of a session by a look-up with its `sessionId`. A session "
        "whose last line is an error of the API is "
        "`environment_error`."
    ),
    not_said=(
        "The system prompt and the tools: `system_not_recorded`, `tools_not_recorded`. They are "
        "not in the file.",
        "The conversation before a compaction, as training data: the model had its summary, so "
        "the last segment is the attempt.",
        "Thinking that is redacted or only signed: `reasoning_missing`.",
        "Sessions with pasted images: their lines are skipped, and the skip names the image.",
        "The format itself is not documented by its maker, and changes.",
    ),
    documented="<https://docs.anthropic.com/en/docs/claude-code>",
    rules={
        "group": {"by": "sessionId", "walk": "claude_code"},
        "where": {"path": "sessionId", "exists": True},
        "fields": {
            "task_id": {
                "hash": ["cwd", "_segments[0][?type == 'user'] | [0].message.content"],
                "skip_missing": True,
            },
            "timestamp": "timestamp",
            "model_name": _MODEL,
            "model_provider": provider(_MODEL),
            "messages": {
                "path": {
                    "path": "[message]",
                    "when": {
                        "all": [
                            {"path": "type", "in": ["user", "assistant"]},
                            {"path": "isApiErrorMessage", "not_equals": True},
                            {"path": "message.model", "not_equals": "<synthetic>"},
                        ]
                    },
                }
            },
            "environment_error": "_lines[-1].isApiErrorMessage",
        },
    },
)
