"""A conversation is rendered as a trainer's tokenizer would, and what the template raises refuses it."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.stages.chat_template import compile_template, refuses
from tests.pipeline.stages.builders import turn

CALL = turn("assistant", None, ("f", '{"a": {"b": 1}}'))
NO_JSON = turn("assistant", None, ("f", "x"))
RESULT = turn("tool", "1", tool_call_id="call-0")
CHAT = [turn("system", "Policy"), turn("user", "Hi"), CALL, RESULT, turn("assistant", "Done.", reasoning="r")]
TOOLS = '[{"type": "function", "function": {"name": "f"}}]'

# What several models' templates do, in small.
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
ALTERNATE = (
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}{% endfor %}"
)
SINGLE_CALLS = (
    "{% for m in messages %}{% if 'tool_calls' in m and m.tool_calls | length != 1 %}"
    "{{ raise_exception('one call') }}{% endif %}{% endfor %}"
)


def outcome(source: str, messages: list[dict[str, Any]], tools: str | None = None) -> str | None:
    return refuses(compile_template(source), messages, tools)


@pytest.mark.parametrize(
    ("source", "messages", "expected"),
    [
        (NO_SYSTEM, CHAT, "raise_exception"),
        (NO_SYSTEM, CHAT[1:], None),
        (ALTERNATE, [turn("user", "a"), turn("assistant", "b")], None),
        (ALTERNATE, [turn("user", "a"), turn("user", "b")], "raise_exception"),
        (SINGLE_CALLS, CHAT, None),
        (SINGLE_CALLS, [turn("assistant", None, ("f", "{}"), ("g", "{}"))], "raise_exception"),
        ("{% for m in messages %}{{ m.content | trim }}{% endfor %}", CHAT, None),
        ("{{ messages[2].tool_calls[0].function.arguments.items() | list }}", CHAT, None),
        ("{{ messages[0].tool_calls[0].function.arguments.items() }}", [NO_JSON], "UndefinedError"),
        ("{{ messages[9].content.strip() }}", CHAT, "UndefinedError"),
        ("{{ 1 + messages }}", CHAT, "TypeError"),
        ("{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}", CHAT, None),
        ("{% for m in messages %}{% break %}{% endfor %}", CHAT, None),
        ("{{ strftime_now('%d %b %Y') }}{{ tools | tojson(indent=4) }}", CHAT, None),
    ],
)  # fmt: skip
def test_what_a_template_takes(source: str, messages: list[dict[str, Any]], expected: str | None) -> None:
    assert outcome(source, messages, TOOLS) == expected


def test_the_template_sees_what_a_trainer_shows_it() -> None:
    seen = compile_template("{{ messages | tojson }}|{{ tools | tojson }}|{{ strftime_now('%Y') }}")
    shown: list[Any] = []

    def note(messages: list[dict[str, Any]], tools: list[Any] | None) -> str:
        shown.append((messages, tools))
        return ""

    assert refuses(note, CHAT, TOOLS) is None
    ((messages, tools),) = shown
    assert messages[2] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "call-0", "type": "function", "function": {"name": "f", "arguments": {"a": {"b": 1}}}}
        ],
    }
    assert messages[3] == {"role": "tool", "content": "1", "tool_call_id": "call-0"}
    assert messages[4] == {"role": "assistant", "content": "Done.", "reasoning_content": "r"}
    assert tools == [{"type": "function", "function": {"name": "f"}}]
    assert seen(messages, tools).endswith("|2000")


@pytest.mark.parametrize(
    "hostile",
    ["{{ ''.__class__.__mro__ }}", "{{ messages.append(1) }}", "{{ cycler.__init__.__globals__.os }}"],
)
def test_a_template_stays_in_its_sandbox(hostile: str) -> None:
    assert outcome(f"{hostile[:-2]}.x }}}}", CHAT) in ("SecurityError", "UndefinedError")


def test_what_is_no_template_names_its_line() -> None:
    with pytest.raises(ValueError, match="line 2: "):
        compile_template("{% if a %}\n{% endfor %}")
