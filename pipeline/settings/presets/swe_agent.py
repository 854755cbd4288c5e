"""Trajectories of SWE-agent."""

from __future__ import annotations

from pipeline.settings.presets.preset import Preset
from pipeline.settings.presets.shared import provider

_MODEL = {"path": "replay_config", "json": True, "lenient": True, "get": "agent.model.name"}

PRESET = Preset(
    title="SWE-agent trajectories",
    reads=(
        "`trajectories/**/*.traj`: a file is one JSON object and one run. The conversation is "
        "its `history`; a demonstration in it has "
        "weight 0, since the model did not write it."
    ),
    task="The file's name, which is the instance's id: the object does not hold it.",
    outcome=(
        "Nothing: patches are tested by another program. Read its report as a look-up stream and say "
        "`verdict = { lookup = …, key = { path = \"_file.path\", regex = '([^/]+)\\.traj$' }, "
        'get = "resolved" }`. A run that a limit '
        "of cost or context ended is `truncated`, one that its environment ended is `environment_error`."
    ),
    not_said=(
        "The tools: `tools_not_recorded`. Their bundles are named in `replay_config`, their "
        "definitions are not there.",
        "When it ran.",
        "What a history processor hid from the model in later steps: `history` is whole; "
        "`trajectory[].query` has each step's prompt.",
        "Attempts before the last one of a retrying agent.",
    ),
    documented="<https://swe-agent.com/latest/usage/trajectories/>",
    rules={
        "fields": {
            "task_id": {"path": "_file.path", "regex": r"([^/]+)\.traj(?:\.[a-z0-9]+)?$"},
            "model_name": _MODEL,
            "model_provider": provider(_MODEL),
            "messages": {
                "path": (
                    "history[].{role: role, content: content, tool_calls: tool_calls, "
                    "tool_call_id: tool_call_ids[0], weight: is_demo && `0` || `null`}"
                )
            },
            "finish_reason": {
                "case": [
                    {
                        "when": {"path": "info.exit_status", "matches": "exit_(cost|total_cost|context)"},
                        "then": {"const": "length"},
                    }
                ],
                "else": "info.exit_status",
            },
            "environment_error": {
                "const": True,
                "when": {
                    "path": "info.exit_status",
                    "matches": "exit_(environment_error|command_timeout|api|error)",
                },
            },
            "cost_usd": {"path": "info.model_stats.instance_cost", "lenient": True},
            "tokens": {
                "path": "sum([info.model_stats.tokens_sent, info.model_stats.tokens_received])",
                "lenient": True,
            },
        }
    },
)
