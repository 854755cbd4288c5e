"""A conversation beside a reward, as benchmarks of agents write them."""

from __future__ import annotations

from pipeline.settings.presets.preset import Preset

PRESET = Preset(
    title="A conversation with a reward",
    reads=(
        "A line is one run: `task_id`, a conversation under `messages`, `traj`, `conversation`, "
        "`conversations` or `history`, "
        "and a number."
    ),
    task="`task_id`.",
    outcome="`reward` or `score`, a number from 0 to 1.",
    not_said=("The tools that the model was offered, unless you map `tools`.",),
    rules={
        "fields": {
            "task_id": "task_id",
            "messages": {"path": ["messages", "traj", "conversation", "conversations", "history"]},
            "reward": {"first_of": ["reward", "score"]},
            "model_name": "model",
            "timestamp": "timestamp",
        }
    },
)
