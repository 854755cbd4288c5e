"""The exporter's rules and the firewall's were written apart; on generated texts they agree.

Two texts are the same for one exactly when they are for the other: strictly, loosely, as questions
and as arguments of calls. Pairs are made to differ in one of the ways that the rules speak of, or in
one that they do not.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.firewall import call_forms, text_forms
from pipeline.schemas.same_answer import Turn, same_answer
from pipeline.stages import same_call, same_text

PIECES = st.sampled_from(
    [
        "Forty-two",
        "x = 10²",
        "10",
        "²",
        "½",
        "ﬁle",
        "Ｙｅｓ",
        "é",
        "e\u0301",
        "四十二です",
        "그래",
        "می",
        "خواهم",
        "क\u094d",
        "ष",
        "👩",
        "💻",
        "❤",
        "\ufe0f",
        " ",
        "  ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        "\u2028",
        "\u00a0",
        "\u3000",
        "\u200b",
        "\u200c",
        "\u200d",
        "\u00ad",
        "\ufeff",
        "\u2060",
        "\u1160",
        "\U000e0041",
        "```",
        "```\n",
        "````\n",
        "\n```",
        "~~~\n",
        "\n~~~",
        "```python\n",
        "---",
        "\n---",
        "\n* * *",
        "\n===",
        "___",
        ".",
        "!",
        "?",
        "。",
        "…",
        "...",
        "one two three four",
        "a b c d",
        "C#",
        "C",
        "`",
        "-",
        "=",
    ]
)
TEXTS = st.lists(PIECES, max_size=9).map("".join) | st.text(max_size=12)


def hidden_within(text: str, at: int) -> str:
    at %= len(text) + 1
    return f"{text[:at]}\u200b{text[at:]}"


WAYS: list[Callable[[str, int], str]] = [
    lambda text, at: text,
    lambda text, at: unicodedata.normalize("NFD", text),
    lambda text, at: unicodedata.normalize("NFKC", text),
    lambda text, at: text.replace("\n", "\r\n"),
    lambda text, at: text.replace("\n", " \t\n"),
    lambda text, at: f"\n\n{text} \n",
    hidden_within,
    lambda text, at: hidden_within(text, at).replace("\u200b", "\u200d"),
    lambda text, at: f"```\n{text}\n```",
    lambda text, at: f"~~~~text\n{text}\n~~~~~",
    lambda text, at: text.replace(" ", "  "),
    lambda text, at: text.replace(" ", "\n"),
    lambda text, at: f" {text}",
    lambda text, at: f"    {text}",
    lambda text, at: f"{text}.",
    lambda text, at: f"{text}…",
    lambda text, at: text.rstrip(".!?。…"),
    lambda text, at: f"{text}\n\n---\n",
    lambda text, at: f"{text}\n=====",
    lambda text, at: text.swapcase(),
    lambda text, at: text[:-1],
]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    text = draw(TEXTS)
    if draw(st.booleans()):
        return text, draw(TEXTS)
    other = text
    for way in draw(st.lists(st.sampled_from(WAYS), min_size=1, max_size=2)):
        other = way(other, draw(st.integers(0, 40)))
    return text, other


def loosely(text: str) -> tuple[str, str]:
    return same_text.loose(same_text.strict(text).text), text_forms.loose_form(
        text_forms.strict_form(text).text
    )


def _asked(text: str) -> str:
    return same_text.asked(same_text.strict(text).text)


@given(pairs())
@example(("10²", "102"))
@example(("\u200d", ""))
def test_both_call_the_same_texts_the_same(pair: tuple[str, str]) -> None:
    mine, yours = zip(*((same_text.strict(text), text_forms.strict_form(text)) for text in pair), strict=True)
    assert (mine[0].text == mine[1].text) is (yours[0].text == yours[1].text)
    assert [form.was_fenced for form in mine] == [form.is_code for form in yours]
    assert same_answer([Turn(pair[0], ())], [Turn(pair[1], ())]) is (mine[0].text == mine[1].text)
    exporter, firewall = zip(*map(loosely, pair), strict=True)
    assert (exporter[0] == exporter[1]) is (firewall[0] == firewall[1])
    if mine[0].text == mine[1].text:
        assert exporter[0] == exporter[1]
    asked, questioned = map(_asked, pair), map(text_forms.question_form, pair)
    assert (len(set(asked)) == 1) is (len(set(questioned)) == 1)
    assert [not _asked(text) for text in pair] == [not text_forms.question_form(text) for text in pair]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "é", "e\u0301", "a\u200b", "\ud800", "{}", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcé"), inner, max_size=3),
    max_leaves=8,
)
NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?\Z")
ARGUMENTS = (
    VALUES.map(lambda value: json.dumps(value))
    | VALUES.map(lambda value: json.dumps(value, ensure_ascii=False, indent=1))
    | NUMBERS
    | st.lists(NUMBERS, max_size=2).map(lambda numbers: f'{{"a": [{", ".join(numbers)}]}}')
    | st.sampled_from(
        [
            "",
            " ",
            "{}",
            "{ }",
            "null",
            "[]",
            '{"a":1,"a":2}',
            '{"a":2,"a":1}',
            '{"a":2}',
            '{"b":1,"a":1.0}',
            '{"a":1e0,"b":10e-1}',
            '{"a":9007199254740993}',
            '{"a":9007199254740992}',
            "NaN",
            "{'a': 1}",
            "ls -la",
            "ls  -la",
            "ls -la ",
            '"\\ud800"',
            '{"a": "1"}',
            '{"a":1e9999999999999999999}',
            "[" * 100 + "]" * 100,
            "[" * 101 + "]" * 101,
            "[ " * 101 + "]" * 101,
            '{"a\u200b":1,"a":2}',
        ]
    )
)


@given(ARGUMENTS, ARGUMENTS)
def test_both_call_the_same_arguments_the_same(one: str, other: str) -> None:
    mine = same_call.arguments_form(one) == same_call.arguments_form(other)
    assert mine is (call_forms.arguments_form(one) == call_forms.arguments_form(other))
    assert (same_call.arguments_form(one) == "") is (call_forms.arguments_form(one) == "")
    assert mine is same_answer([Turn("", [("f", one)])], [Turn("", [("f", other)])])


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in sorted(value, reverse=True)}
    return [shuffled(element) for element in value] if isinstance(value, list) else value


@given(VALUES)
def test_one_value_is_one_call_however_it_is_spelt(value: Any) -> None:
    spellings = (
        json.dumps(value),
        json.dumps(shuffled(value), ensure_ascii=False),
        json.dumps(value, separators=(",", ":"), indent=2),
    )
    assert len(set(map(same_call.arguments_form, spellings))) == 1
    assert len(set(map(call_forms.arguments_form, spellings))) == 1


@pytest.mark.parametrize("form", [same_call.arguments_form, call_forms.arguments_form])
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"a":1,"b":[1.0,2]}', '{ "b" : [1, 20e-1], "a" : 1e0 }', True),
        ('{"a":"\\u00e9"}', '{"a":"é"}', True),
        ("", "{}", True),
        ("{}", "[]", False),
        ('{"a":1,"a":2}', '{"a":2}', False),
        ('{"a":1,"a":2}', '{"a":2,"a":1}', False),
        ('{"a":9007199254740993}', '{"a":9007199254740992}', False),
        ('{"a":0.1}', '{"a":0.1000000000000000055511151231257827}', False),
        ('{"a":1}', '{"a":"1"}', False),
        ('{"a":1}', '{"a":true}', False),
        ("ls -la \r\n", "ls -la", True),
        ("ls  -la", "ls -la", False),
        ('{"a":"x "}', '{"a":"x"}', False),
    ],
)
def test_arguments_that_are_the_same_and_that_are_not(
    form: Callable[[str], str], one: str, other: str, same: bool
) -> None:
    assert (form(one) == form(other)) is same
