"""Definitions of tools become one shape; those that have it, and those that cannot, stay as they are."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from pipeline.contracts.skips import SkipReason
from pipeline.streams.misfit import MisfitError
from pipeline.streams.tools import tools_text
from tests.pipeline.streams.sources import evidence, refusal

SCHEMA = {"type": "object", "properties": {"n": {"maximum": 9007199254740993}}}
OPENAI = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}


@pytest.mark.parametrize(
    "definition",
    [
        {"name": "f", "description": "d", "parameters": SCHEMA},
        {"name": "f", "description": "d", "input_schema": SCHEMA},
        {"name": "f", "description": "d", "inputSchema": SCHEMA},
        {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA},
        OPENAI,
    ],
)
def test_definitions_of_every_api(definition: dict[str, Any]) -> None:
    for given in ([definition], orjson.dumps([definition]).decode()):
        text = tools_text(given)
        assert text is not None
        assert orjson.loads(text) == [OPENAI]


def test_a_text_that_has_the_shape_is_kept_to_the_byte() -> None:
    text = '[ {"type":"function", "function":{"name":"f","parameters":{"maximum":12345678901234567890123}}} ]'
    assert tools_text(text) == text
    flat = '[{"name":"f","parameters":{"maximum":12345678901234567890123}}]'
    assert "12345678901234567890123" in str(tools_text(flat))


@pytest.mark.parametrize("kept", [["search", "calculator"], {"f": {"description": "d"}}, [{"name": "f"}]])
def test_what_is_no_definition_stays(kept: Any) -> None:
    assert tools_text(kept) == orjson.dumps(kept).decode()


@pytest.mark.parametrize("empty", [[], {}, "[]", " {} "])
def test_no_tools_are_none(empty: Any) -> None:
    assert tools_text(empty) is None


@pytest.mark.parametrize("wrong", [7, True, "not JSON", "7", '{"a": 1, "a": 2}', '[{"x": NaN}]'])
def test_what_is_no_list_of_tools(wrong: Any) -> None:
    with pytest.raises(MisfitError):
        tools_text(wrong)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (r'[{"name": "\ud800", "parameters": {}}]', SkipReason.LONE_SURROGATE),
        (r'["\udc00"]', SkipReason.LONE_SURROGATE),
        ('[{"name": "n", "parameters": {"maximum": 1e999}}]', SkipReason.NUMBER_OUT_OF_RANGE),
        ('[{"name": "n", "parameters": {"maximum": -1e999}}]', SkipReason.NUMBER_OUT_OF_RANGE),
    ],
)
def test_a_text_of_tools_that_no_row_could_hold_skips_its_line(text: str, reason: SkipReason) -> None:
    fault = refusal({"tools": text}, tools="tools")
    assert fault.reason == reason
    assert fault.detail.startswith("tools: JSON in a text: ")


def test_a_whole_surrogate_pair_and_a_large_integer_stay() -> None:
    text = r'["\ud83d\ude00", 123456789012345678901]'
    assert evidence({"tools": text}, tools="tools")["tools"] == text
