"""One attempt at a programming task, with whether its tests passed."""

from __future__ import annotations

from pipeline.settings.presets.preset import Preset

PRESET = Preset(
    title="A code attempt",
    reads="A line is one attempt: a prompt, the code, and whether the tests passed.",
    task="`task_id`.",
    outcome="`passed`, `is_solved` or `is_correct`, true or false.",
    not_said=("The system prompt, and what else stood before the prompt.",),
    rules={
        "fields": {
            "task_id": "task_id",
            "instruction": "prompt",
            # Some harnesses log one attempt as a text, others a list of fragments.
            "response": {"join": {"first_of": ["completion", "solution", "generation"]}},
            "verdict": {"first_of": ["passed", "is_solved", "is_correct"]},
            "model_name": "model",
        }
    },
)
