"""Session files of OpenAI's Codex."""

from __future__ import annotations

from pipeline.settings.presets.preset import Preset

_ITEMS = (
    "_lines[?type == 'response_item' && payload.type != 'ghost_snapshot' && payload.type != 'other'].payload"
)
_SAID = "_lines[?type == 'event_msg' && payload.type == 'user_message'].payload.message | [0]"

PRESET = Preset(
    title="Codex sessions",
    reads=(
        "`~/.codex/sessions/YYYY/MM/DD/rollout-*.jsonl`, copied into the workspace or named in "
        "`source_roots`. A file is one attempt. Of its "
        "lines the `response_item` are the conversation; `event_msg` repeat them and are read "
        "for what the user typed and for counts alone."
    ),
    task=(
        "A `hash` of the first thing that the user typed: sessions know no tasks. Where you run "
        "one task several times, say what tells it: "
        '`task_id = "payload.cwd"`, the folder, say.'
    ),
    outcome=(
        "Nothing. Map what you know of a session by a look-up with its id, `payload.id`. A "
        "session that ends with an interruption by the user is "
        "`truncated`."
    ),
    not_said=(
        "The tools: `tools_not_recorded`.",
        "The reasoning: it is encrypted, and its summary, where there is one, is not the "
        "reasoning itself. `reasoning_missing` where there is none.",
        "What the model had after a compaction that does not say so: a session whose `compacted` has no "
        "`replacement_history` has no conversation here. Otherwise the conversation is what the model "
        "had last. Both have the tag `compacted`.",
        "What tools of the provider did (web search): such a session is skipped, since an item "
        "of its conversation cannot be read.",
        "Files of before September 2025, whose lines are bare items without `payload`.",
    ),
    documented="<https://github.com/openai/codex>",
    rules={
        "unit": "file",
        "group": {"walk": "codex"},
        "fields": {
            "task_id": {"first_of": [{"hash": _SAID}, "_group"]},
            "timestamp": "timestamp",
            "model_name": "_lines[?type == 'turn_context'].payload.model | [-1]",
            "model_provider": "_lines[?type == 'session_meta'].payload.model_provider | [0]",
            "instruction": {"first_of": [_SAID, {"turn": _ITEMS, "role": "user", "which": "first"}]},
            "messages": {
                "path": _ITEMS,
                "system": "_lines[?type == 'session_meta'].payload.base_instructions.text | [0]",
                "when": "!(_lines[?type == 'compacted' && payload.replacement_history == `null`])",
            },
            "finish_reason": {"const": "abort", "when": "_lines[-1].payload.type == 'turn_aborted'"},
            "tokens": (
                "_lines[?type == 'event_msg' && payload.type == 'token_count'].payload.info.total_token_usage"
                ".total_tokens | [-1]"
            ),
            "tags": {"const": "compacted", "when": "_lines[?type == 'compacted']"},
        },
    },
)
