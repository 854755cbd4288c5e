"""Rules that several presets need."""

from __future__ import annotations

from typing import Any

Rule = dict[str, Any]

# Who serves a model, where its name says so. An open model may run anywhere: its name says nothing.
_FAMILIES = (
    ("^(openai|anthropic|google|mistralai|x-ai|cohere|deepseek)/", None),
    ("^(?:ft:)?(?:gpt-[0-9]|chatgpt-|o[0-9](?:-|$)|codex-)", "openai"),
    ("^claude-", "anthropic"),
    ("^gemini-", "google"),
    ("^grok-", "x-ai"),
)


def provider(model: Rule) -> Rule:
    """The provider that a model's name tells, or null: nothing is guessed of any other name."""
    return {
        "first_of": [
            {**model, "regex": pattern, **({} if served_by is None else {"map": {"*": served_by}})}
            for pattern, served_by in _FAMILIES
        ]
    }


def listed(path: str) -> Rule:
    """The list at ``path``; null where something else stands there."""
    return {"path": path, "when": f"type({path}) == 'array'"}


def said_by(role: str, text: Rule) -> Rule:
    """One turn of ``role`` with what ``text`` finds as its content; null where it finds none."""
    return {"zip": {"role": {"const": role}, "content": text}}


def text_at(path: str) -> Rule:
    """The text at ``path``; null where something else stands there."""
    return {"path": path, "when": f"type({path}) == 'string'"}
