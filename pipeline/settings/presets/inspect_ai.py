"""Evaluation logs of Inspect, dumped as JSON."""

from __future__ import annotations

from pipeline.settings.presets.preset import Preset
from pipeline.settings.presets.shared import provider

_ONE_SCORE = "length(values(_part.scores)) == `1`"
_SCORE = "_part.scores.*.value | [0]"
# What Inspect itself makes of its letters.
_LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0, "true": 1.0, "false": 0.0}

PRESET = Preset(
    title="Inspect evaluation logs (dumped)",
    reads=(
        "Logs are binary (`.eval`); `inspect log dump LOG --resolve-attachments full > LOG.json` writes one "
        "as JSON, a whole file that is one object. Each of its `samples` is an attempt, each "
        "epoch another one at the same task."
    ),
    task="The evaluation's task and the sample's id, `TASK/ID`.",
    outcome=(
        "The value of the sample's score where there is exactly one scorer: `C` and `I` are 1 and 0, "
        "`P` is a half, a number from 0 to 1 counts as it is. "
        'With several scorers name yours: `reward = { path = "_part.scores.my_scorer.value", map = { C '
        "= 1.0, I = 0.0 } }`. A sample with an "
        "`error` is `environment_error`, one that a limit stopped is `truncated`."
    ),
    not_said=(
        "The tools, where a sample was logged without its events: `tools_not_recorded`. Those of "
        "its first call "
        "to a model are taken.",
        "Texts that were moved to attachments, unless they were resolved by the dump.",
        "What was compacted: `messages` is what the sample ended with.",
    ),
    documented="<https://inspect.aisi.org.uk/eval-logs.html>",
    rules={
        "parts": {"each": "samples"},
        "fields": {
            "task_id": {"template": "{eval.task}/{_part.id}"},
            "timestamp": {
                "first_of": ["_part.started_at", "stats.started_at", "eval.created"],
                "lenient": True,
            },
            "model_name": {"first_of": ["_part.output.model", "eval.model"]},
            "model_provider": provider({"path": "eval.model"}),
            "messages": "_part.messages",
            "tools": "_part.events[?event == 'model' && tools].tools | [0]",
            "finish_reason": {
                "case": [{"when": {"path": "_part.limit", "exists": True}, "then": {"const": "length"}}],
                "else": "_part.output.choices[0].stop_reason",
            },
            "reward": {
                "first_of": [
                    {"path": _SCORE, "map": _LETTERS, "lenient": True},
                    {"path": _SCORE, "lenient": True},
                ],
                "when": _ONE_SCORE,
            },
            "environment_error": "_part.error",
            "tokens": {
                "path": "_part.model_usage && sum(_part.model_usage.*.total_tokens)",
                "lenient": True,
            },
            "tags": {"template": "epoch:{_part.epoch}"},
        },
    },
)
