"""Shipped rules for log shapes that many tools write. A stream's own fields override them.

``docs/streams.md`` shows a line of each; a test maps those lines.
"""

from __future__ import annotations

from typing import Any

from pipeline.settings.rules import StreamRules

_MODEL: dict[str, Any] = {"first_of": ["response.model", "model", "request.model"]}
# Who serves a model, where its name says so. An open model may run anywhere: its name says nothing.
_FAMILIES = (
    ("^(openai|anthropic|google|mistralai|x-ai|cohere|deepseek)/", None),
    ("^(?:ft:)?(?:gpt-[0-9]|chatgpt-|o[0-9](?:-|$)|codex-)", "openai"),
    ("^claude-", "anthropic"),
    ("^gemini-", "google"),
    ("^grok-", "x-ai"),
)


def _provider(model: dict[str, Any]) -> dict[str, Any]:
    """The provider that a model's name tells, or null: nothing is guessed of any other name."""
    return {
        "first_of": [
            {**model, "regex": pattern, **({} if provider is None else {"map": {"*": provider}})}
            for pattern, provider in _FAMILIES
        ]
    }


_OPENAI_CHAT: dict[str, Any] = {
    # Either chat JSONL ({"messages": …}) or a request logged beside its response.
    "fields": {
        "task_id": {"first_of": ["task_id", "id", "request_id", "response.id"]},
        "timestamp": {
            "first_of": ["timestamp", "created", "response.created"],
            "time": ["iso", "epoch_seconds"],
        },
        "model_name": _MODEL,
        "model_provider": _provider(_MODEL),
        "messages": {
            "path": ["messages", "request.messages"],
            # Of several answers each is an attempt of its own.
            "append": ["_part.message"],
        },
        "tools": {"first_of": ["tools", "request.tools"]},
        "finish_reason": "_part.finish_reason",
        "tokens": {"first_of": ["usage.total_tokens", "response.usage.total_tokens"]},
    },
    "parts": {"each": {"first_of": ["choices", "response.choices"]}, "optional": True},
}

_CONVERSATION_WITH_REWARD: dict[str, Any] = {
    "fields": {
        "task_id": "task_id",
        "messages": {"path": ["messages", "traj", "conversation", "conversations", "history"]},
        "reward": {"first_of": ["reward", "score"]},
        "model_name": "model",
        "timestamp": "timestamp",
    }
}

_CODE_ATTEMPT: dict[str, Any] = {
    "fields": {
        "task_id": "task_id",
        "instruction": "prompt",
        # Some harnesses log one attempt as a text, others a list of fragments.
        "response": {"join": {"first_of": ["completion", "solution", "generation"]}},
        "verdict": {"first_of": ["passed", "is_solved", "is_correct"]},
        "model_name": "model",
    }
}


def _side(side: str, other: str) -> dict[str, Any]:
    """One side of a judged pair. A tie says nothing about either: no verdict.

    Every spelling of the winner that is known; another word is a skip, not a loss.
    """
    won = {
        spelling: outcome
        for letter, outcome in ((side, "pass"), (other, "fail"))
        for spelling in (letter, letter.upper(), f"model_{letter}", f"assistant_{letter}")
    }
    verdict = {"path": "winner", "nulls": ["tie", "tie (bothbad)", "both"], "map": won}
    return {
        "fields": {
            "response": {"first_of": [f"response_{side}", f"answer_{side}"]},
            "model_name": f"model_{side}",
            "verdict": verdict,
        }
    }


_JUDGED_PAIR: dict[str, Any] = {
    "fields": {
        "task_id": {"first_of": ["question_id", "prompt_id", "id"]},
        "instruction": {"first_of": ["prompt", "question", "instruction"]},
    },
    "parts": [_side("a", "b"), _side("b", "a")],
}

PRESETS: dict[str, StreamRules] = {
    name: StreamRules.model_validate(rules)
    for name, rules in (
        ("openai_chat", _OPENAI_CHAT),
        ("conversation_with_reward", _CONVERSATION_WITH_REWARD),
        ("code_attempt", _CODE_ATTEMPT),
        ("judged_pair", _JUDGED_PAIR),
    )
}
