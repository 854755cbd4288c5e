"""Rollouts that NeMo Gym collected."""

from __future__ import annotations

from pipeline.settings.presets.preset import Preset
from pipeline.settings.presets.shared import listed, provider, said_by, text_at

_MODEL = {"first_of": ["response.model", "responses_create_params.model"]}
_PARAMS = "responses_create_params"

PRESET = Preset(
    title="NeMo Gym rollouts",
    reads=(
        "`rollouts.jsonl`: a line is one rollout, with the request (`responses_create_params`), the "
        "`response` in the items of OpenAI's Responses, and "
        "the `reward` of the verifier."
    ),
    task=(
        "`task_id`, `uuid` or `id`; without any of these a `hash` of instructions and input, so that "
        "repeated rollouts are attempts at one task."
    ),
    outcome=(
        "`reward`, a number from 0 to 1. One outside of it skips its line as `value_out_of_range`: "
        "scale it with `divide_by`."
    ),
    not_said=(
        "The reasoning, where the model server gave none: `reasoning_missing` or nothing at all.",
        "Why a verifier rewarded a rollout; what else it wrote is listed as unmapped.",
    ),
    documented="<https://docs.nvidia.com/nemo/gym/latest/>",
    rules={
        "fields": {
            "task_id": {
                "first_of": [
                    "task_id",
                    "uuid",
                    "id",
                    {"hash": [f"{_PARAMS}.instructions", f"{_PARAMS}.input"], "skip_missing": True},
                ]
            },
            "timestamp": {"path": "response.created_at", "time": ["epoch_seconds", "iso"]},
            "model_name": _MODEL,
            "model_provider": provider(_MODEL),
            "messages": {
                "path": [listed(f"{_PARAMS}.input"), said_by("user", text_at(f"{_PARAMS}.input"))],
                "append": ["response.output"],
                "system": f"{_PARAMS}.instructions",
            },
            "tools": f"{_PARAMS}.tools",
            "finish_reason": {"first_of": ["response.incomplete_details.reason", "response.status"]},
            "environment_error": "response.error",
            "reward": "reward",
            "tokens": "response.usage.total_tokens",
        }
    },
)
