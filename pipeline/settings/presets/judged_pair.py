"""Two answers to one question, and which of them a judge took."""

from __future__ import annotations

from typing import Any

from pipeline.settings.presets.preset import Preset


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


PRESET = Preset(
    title="A judged pair",
    reads=(
        "A line is a question, two answers `response_a` and `response_b`, and the `winner`. Each "
        "answer is an attempt."
    ),
    task="`question_id`, `prompt_id` or `id`.",
    outcome="`winner`: `a`, `model_a`, `assistant_a` and the same of b; a tie is no verdict.",
    not_said=("Whether the loser was wrong: it lost against this answer, by this judge.",),
    rules={
        "fields": {
            "task_id": {"first_of": ["question_id", "prompt_id", "id"]},
            "instruction": {"first_of": ["prompt", "question", "instruction"]},
        },
        "parts": [_side("a", "b"), _side("b", "a")],
    },
)
