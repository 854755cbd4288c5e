"""Observations of Langfuse, from its export to blob storage, its API or its user interface."""

from __future__ import annotations

from typing import Any

from pipeline.settings.presets.preset import Preset
from pipeline.settings.presets.shared import provider

_MODEL = {"first_of": ["provided_model_name", "providedModelName", "model"]}
_TEXT = r"^\s*[^\s\[{]"
# JSON text or the value itself: exports write the one, the API gives the other.
_IN: dict[str, Any] = {"path": "input", "json": True, "lenient": True}
_OUT: dict[str, Any] = {"path": "output", "json": True, "lenient": True}
_IS_TURNS = "type(@) == 'array' || (type(@) == 'object' && role)"
_METADATA = {"path": "metadata", "json": True, "lenient": True}

PRESET = Preset(
    title="Langfuse observations",
    reads=(
        "A line is an observation: enriched observations of the export to blob storage "
        "(`observations_v2/`, JSONL), or what the API "
        "gives, names in either spelling. Generations are used, other observations are `filtered_out`. "
        "Input and output may be JSON text or values: a list of "
        "messages, an object with `messages` and `tools`, or a plain text."
    ),
    task="`task_id` in the observation or its `metadata`; without one a `hash` of the input.",
    outcome=(
        "Scores are in files of their own, `scores/`: read them as a look-up stream by `trace_id` or "
        "`observation_id`, as below. "
        "An observation whose level is `ERROR` is `environment_error`."
    ),
    not_said=(
        "The system prompt and the tools, unless the application put them into the input.",
        "Which of several scores of a trace counts: a look-up takes the first line, so filter it by `name`.",
        "An input that is some other object: it is no conversation, and the row has none.",
    ),
    documented="<https://langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields>",
    rules={
        "where": {
            "any": [{"path": "type", "equals": "GENERATION"}, {"path": "type", "exists": False}],
        },
        "fields": {
            "task_id": {"first_of": ["task_id", {**_METADATA, "get": "task_id"}, {"hash": "input"}]},
            "timestamp": {"first_of": ["start_time", "startTime", "timestamp"]},
            "model_name": _MODEL,
            "model_provider": provider(_MODEL),
            "messages": {
                "path": [
                    {**_IN, "get": "messages"},
                    {**_IN, "get": {"path": "@", "when": "type(@) == 'array'"}},
                    {
                        "zip": {"role": {"const": "user"}, "content": "input"},
                        "when": {"path": "input", "matches": _TEXT},
                    },
                ],
                "append": [
                    {
                        "first_of": [
                            {**_OUT, "get": {"path": "@", "when": _IS_TURNS}},
                            {**_OUT, "get": "choices[0].message"},
                            {
                                "zip": {
                                    "role": {"const": "assistant"},
                                    "content": {"path": "output", "to_text": True},
                                }
                            },
                        ]
                    }
                ],
            },
            "tools": {**_IN, "get": "tools"},
            "finish_reason": {**_OUT, "get": "choices[0].finish_reason || finish_reason"},
            "environment_error": {"const": True, "when": {"path": "level", "equals": "ERROR"}},
            "tokens": {
                "first_of": ["usage_details.total", "usageDetails.total", "usage.total"],
                "lenient": True,
            },
            "cost_usd": {"first_of": ["total_cost", "totalCost", "calculatedTotalCost"], "lenient": True},
        },
    },
)
