"""Spans of OpenTelemetry by its conventions for generative AI, as OTLP writes them in JSON."""

from __future__ import annotations

from pipeline.settings.presets.preset import Preset


def _attribute(*keys: str, kind: str = "stringValue") -> str:
    """The value of the first of the attributes that a span has."""
    return " || ".join(f"(_part.attributes[?key=='{key}'].value.{kind} | [0])" for key in keys)


def _structured(key: str) -> str:
    """The value of an attribute that is JSON text, or OTLP's own kind of list."""
    return f"{_attribute(key)} || (_part.attributes[?key=='{key}'].value | [0])"


def _has(key: str) -> str:
    return f"_part.attributes[?key=='{key}']"


_COUNTED = "attributes[?key=='gen_ai.usage.input_tokens' || key=='gen_ai.usage.output_tokens'].value.intValue"

PRESET = Preset(
    title="OpenTelemetry GenAI spans",
    reads=(
        "A line is what an OTLP/JSON exporter sends or the collector's file exporter writes: an object "
        "with `resourceSpans`. Each span with "
        "`gen_ai.input.messages` is an attempt. The messages are JSON text or structured values, as "
        "instrumentations write them that record content "
        "(`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, opt-in)."
    ),
    task=(
        "A `hash` of system instructions, tools and input messages: traces know no tasks. Where an "
        "attribute of your own names one, say "
        "`task_id = \"_part.attributes[?key=='my.task'].value.stringValue | [0]\"`."
    ),
    outcome=(
        "None. Map an attribute of your own, or scores by a look-up. A span whose status is an error "
        "is `environment_error`."
    ),
    not_said=(
        "The content, unless it was asked for: by default such spans carry none, and have no part here.",
        "Messages that are recorded as events or logs (conventions before 1.37).",
        "More than the first of several candidates of one call: output messages are candidates, "
        "and one span is one attempt here.",
        "Who called whom: each call to a model is a run by itself, with what it was shown.",
    ),
    documented="<https://opentelemetry.io/docs/specs/semconv/gen-ai/>",
    rules={
        "parts": {
            "each": "resourceSpans[].scopeSpans[].spans[]",
            "when": _has("gen_ai.input.messages"),
        },
        "fields": {
            "task_id": {
                "hash": [
                    _structured("gen_ai.system_instructions"),
                    _structured("gen_ai.tool.definitions"),
                    _structured("gen_ai.input.messages"),
                ],
                "skip_missing": True,
            },
            "timestamp": {"path": "_part.startTimeUnixNano", "time": "epoch_ns"},
            "model_name": _attribute("gen_ai.response.model", "gen_ai.request.model"),
            "model_provider": _attribute("gen_ai.provider.name", "gen_ai.system"),
            "messages": {
                "path": _structured("gen_ai.input.messages"),
                "append": [{"path": _structured("gen_ai.output.messages"), "json": True, "get": "[0]"}],
                "system": {"path": _structured("gen_ai.system_instructions"), "json": True},
            },
            "tools": {
                "first_of": [
                    _attribute("gen_ai.tool.definitions"),
                    {"path": _structured("gen_ai.tool.definitions"), "json": True},
                ]
            },
            "environment_error": {
                "const": True,
                "when": {"path": "_part.status.code", "in": [2, "STATUS_CODE_ERROR"]},
            },
            "tokens": {
                "path": f"_part.{_COUNTED} && sum(map(&to_number(@), _part.{_COUNTED}))",
                "lenient": True,
            },
        },
    },
)
