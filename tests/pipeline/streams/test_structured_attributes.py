"""Attributes of OpenTelemetry that are OTLP's own lists and objects give what their JSON text would."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.contracts.skips import LineFault
from pipeline.streams.compiled import compile_stream
from pipeline.streams.inner_json import of_attribute
from pipeline.streams.misfit import MisfitError
from tests.pipeline.streams.golden import FOLDER
from tests.pipeline.streams.sources import outcome, stream


def any_value(value: Any) -> dict[str, Any]:
    """``value`` as OTLP writes it in JSON."""
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case list():
            return {"arrayValue": {"values": [any_value(item) for item in value]}}
        case _:
            pairs = [{"key": key, "value": any_value(item)} for key, item in value.items()]
            return {"kvlistValue": {"values": pairs}}


@pytest.mark.parametrize(
    "value", [[], [{}], {}, {"a": [1, 2**62, 1.5, None, True, "x", {"b": [[]]}]}, [{"role": "user"}]]
)
def test_a_structured_attribute_is_its_value(value: Any) -> None:
    assert of_attribute(any_value(value)) == value


@pytest.mark.parametrize(
    "value", [None, 1, "x", [1], {"a": 1}, {"arrayValue": 1}, {"arrayValue": {}, "b": 1}]
)
def test_what_is_no_attribute_stays(value: Any) -> None:
    assert of_attribute(value) is value


@pytest.mark.parametrize(
    "value",
    [
        {"kvlistValue": {"values": [{"key": "a", "value": {}}, {"key": "a", "value": {}}]}},
        {"kvlistValue": {"values": [{"value": {}}]}},
        {"kvlistValue": {"values": [1]}},
        {"kvlistValue": {"values": "a"}},
        {"arrayValue": {"values": [1]}},
        {"arrayValue": {"values": [{"intValue": "x"}]}},
    ],
)
def test_a_broken_attribute_is_a_misfit(value: Any) -> None:
    with pytest.raises(MisfitError):
        of_attribute(value)


def test_the_preset_reads_both_alike() -> None:
    spans = compile_stream(stream(preset="otel_genai"), {})
    compared = 0
    for text in (FOLDER / "otel_genai" / "log.jsonl").read_text().splitlines():
        line = json.loads(text)
        as_text = outcome(spans, line)
        for span in spans_of(line):
            for attribute in span.get("attributes", ()):
                written = attribute["value"].get("stringValue", "")
                if written[:1] == "[":
                    attribute["value"] = any_value(json.loads(written))
                    compared += 1
        structured = outcome(spans, line)
        if isinstance(as_text, LineFault) or isinstance(structured, LineFault):
            assert as_text == structured
            continue
        for one, other in zip(as_text, structured, strict=True):
            # A trace without a task has the hash of what was asked, as it was written.
            unlike = dict.fromkeys(("task_id", "provenance", "run_id"))
            assert {**one, **unlike} == {**other, **unlike}
    assert compared > 3


def spans_of(line: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        span
        for resource in line["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
