"""Runs of OpenHands, as its evaluation harness writes them."""

from __future__ import annotations

from pipeline.settings.presets.preset import Preset
from pipeline.settings.presets.shared import provider

_CALLED = "tool_call_metadata.model_response"
# Events of both generations to turns, in their order: an event that the model was not shown is null.
_EVENTS = (
    # Up to version 0: an action or an observation, with the model's whole answer beside it.
    "(action == 'system' && {role: 'system', content: args.content})",
    "(action == 'message' && source == 'user' && {role: 'user', content: args.content})",
    f"(action && tool_call_metadata && {{role: 'assistant', id: {_CALLED}.id, "
    f"content: {_CALLED}.choices[0].message.content, tool_calls: {_CALLED}.choices[0].message.tool_calls, "
    f"reasoning_content: {_CALLED}.choices[0].message.reasoning_content}})",
    "(action == 'message' && source == 'agent' && {role: 'assistant', content: args.content})",
    "(type(observation) == 'string' && tool_call_metadata && {role: 'tool', "
    "tool_call_id: tool_call_metadata.tool_call_id, name: tool_call_metadata.function_name, "
    "content: content})",
    # From version 1 on: events by their kind.
    "(kind == 'SystemPromptEvent' && {role: 'system', content: system_prompt.text})",
    "(kind == 'MessageEvent' && {role: llm_message.role, content: llm_message.content, "
    "reasoning_content: llm_message.reasoning_content})",
    "(kind == 'ActionEvent' && {role: 'assistant', id: llm_response_id, content: thought, "
    "reasoning_content: reasoning_content, tool_calls: [tool_call]})",
    "(kind == 'ObservationEvent' && {role: 'tool', tool_call_id: tool_call_id, name: tool_name, "
    "content: observation.content})",
    "(kind == 'AgentErrorEvent' && {role: 'tool', tool_call_id: tool_call_id, name: tool_name, "
    "content: error})",
    "(kind == 'UserRejectObservation' && {role: 'tool', tool_call_id: tool_call_id, name: tool_name, "
    "content: rejection_reason})",
    "`null`",
)

PRESET = Preset(
    title="OpenHands evaluation runs",
    reads=(
        "`output.jsonl` of the evaluation harness: a line is one instance, with its events under "
        "`history`, of either "
        "generation of events. Use `output.swebench_eval.jsonl` where the patches were tested: "
        "it says how each run ended."
    ),
    task="`instance_id`.",
    outcome=(
        "`test_result.report.resolved`, where the report was added; nothing in a bare "
        "`output.jsonl`. A run with an "
        "`error`, a limit that was reached among them, is `environment_error`."
    ),
    not_said=(
        "What a condenser took out before the model saw it: the events are there, whatever was shown.",
        "Runs without native calls of tools: their actions carry no `tool_call_metadata`, and "
        "are no turns here.",
        "The tools, in events of version 1 before they hold definitions in OpenAI's shape.",
        "A session of the application (`events/*.json`, one event a file): gather it into one line first.",
    ),
    documented="<https://docs.openhands.dev/>",
    rules={
        "fields": {
            "task_id": "instance_id",
            "timestamp": {"path": "history[0].timestamp", "lenient": True},
            "model_name": "metadata.llm_config.model || metadata.llm.model",
            "model_provider": provider({"path": "metadata.llm_config.model || metadata.llm.model"}),
            "messages": {"path": f"map(&({' || '.join(_EVENTS)}), history)[?@]"},
            "tools": {
                "first_of": [
                    "history[?action == 'system'].args.tools | [0]",
                    "history[?kind == 'SystemPromptEvent'].tools | [0]",
                ]
            },
            "verdict": "test_result.report.resolved",
            "environment_error": "error",
            "cost_usd": {"path": "metrics.accumulated_cost", "lenient": True},
        }
    },
)
