"""One row or one reason: what SFT takes, what it refuses, and what is in a row."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.lint import RewardHack
from pipeline.schemas.sft import SftSample
from pipeline.schemas.validators import validate_sft
from pipeline.settings.model import ExportSettings, SftSettings
from pipeline.stages.export_sft import SFT_NEVER, sft_row
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.sample import read_sample
from pipeline.stages.sample_keys import sft_sample_key
from tests.pipeline.stages.builders import OPTIONS, conversation, evidence, exported, scored, turn

# Put together here, so that no scanner takes this file for a leak.
SECRET = "AKIA" + "IOSFODNN7EXAMPLE"


def made(row: dict[str, Any], category: str = "accepted") -> dict[str, Any]:
    result = sft_row(row, scored(row, category), OPTIONS)
    assert not isinstance(result, Refusal), result
    return result


def refused(row: dict[str, Any], category: str = "accepted", options: ExportSettings = OPTIONS) -> str:
    result = sft_row(row, scored(row, category), options)
    assert isinstance(result, Refusal)
    return result.reason.value


def test_a_flat_row_carries_its_texts_and_its_lineage() -> None:
    row = evidence(3, context="A file named FILE.", verdict="pass")
    assert made(row) == {
        "id": made(row)["id"],
        "shape": "flat",
        "instruction": "Count the lines of a file.",
        "context": "A file named FILE.",
        "response": "wc -l FILE",
        "messages": [
            exported(turn("system", "A file named FILE.")),
            exported(turn("user", "Count the lines of a file.")),
            exported(turn("assistant", "wc -l FILE")),
        ],
        "tools": "",
        "source_run_id": row["run_id"],
        "quality_score": "accepted",
        "stream": "shell",
        "task_id": "count-lines",
        "model_name": "model-a",
        "score": 1.0,
        "turns": 1,
        "estimated_tokens": 14 + 3 * 4,  # 54 bytes of UTF-8, three messages
        "flags": "",
        "split": made(row)["split"],
        "provenance": row["provenance"],
    }
    later = ("attempts", "passed", "recorded_at")
    assert [*made(row), *later] == list(SftSample.model_fields)


def test_a_sign_of_a_reward_hack_refuses_nothing_and_changes_no_row() -> None:
    plain = evidence(response="sys.exit(0)", verdict="pass")
    assert made({**plain, "flags": ["exits_early"]}) == made(plain)
    flagged = {**plain, "flags": ["system_not_recorded", *(sign.value for sign in RewardHack)]}
    assert made(flagged) == {**made(plain), "flags": "system_not_recorded"}


def test_a_conversation_ends_on_its_last_answer_and_keeps_its_calls() -> None:
    row = made(conversation())
    assert row["messages"] == [exported(each) for each in conversation()["messages"][:5]]
    (call,) = orjson.loads(row["messages"][2]["tool_calls"])
    assert call["arguments"] == '{"seat": "4A", "meal": null}'
    assert (row["instruction"], row["context"], row["response"]) == (
        "Book a seat.",
        "You are a clerk.",
        "Seat 4A is yours.",
    )
    assert row["turns"] == 2
    assert b"###STOP###" not in orjson.dumps(row)
    validate_sft(row)


def test_what_the_model_never_saw_is_not_exported() -> None:
    secret_goal = "the simulated user wants a window seat"
    for row in (conversation(goal=secret_goal, tools="[]"), evidence(goal=secret_goal)):
        assert secret_goal not in orjson.dumps(made(row)).decode()


TOOLS = '[{"type":"function","function":{"name":"wc","description":"counts"}}]'


def test_the_tools_that_the_model_was_offered_reach_the_row_and_its_length() -> None:
    for without in (evidence(), conversation()):
        row, plain = made(without | {"tools": TOOLS}), made(without)
        assert (row["tools"], plain["tools"]) == (TOOLS, "")
        assert row["estimated_tokens"] - plain["estimated_tokens"] in (len(TOOLS) // 4, len(TOOLS) // 4 + 1)
        validate_sft(row)
        assert refused(without | {"tools": TOOLS.replace("counts", SECRET)}) == "secret_found"
        assert made(without | {"tools": " [] "})["tools"] == ""


def test_what_a_turn_thought_and_weighs_is_carried() -> None:
    said = turn("assistant", "4", reasoning="2 + 2", weight=0.0)
    row = made(conversation(1, turn("user", "2+2?"), said, turn("user", "Sure?"), turn("assistant", "Yes.")))
    validate_sft(row)
    assert [(each["reasoning"], each["weight"]) for each in row["messages"]] == [
        ("", 1.0),
        ("2 + 2", 0.0),
        ("", 1.0),
        ("", 1.0),
    ]


@pytest.mark.parametrize("category", sorted(SFT_NEVER))
@pytest.mark.parametrize("row", [evidence(), conversation()])
def test_a_category_of_the_never_list_is_refused(category: str, row: dict[str, Any]) -> None:
    assert refused(row, category) == "category_not_allowed"


def test_the_never_list_is_what_it_must_be() -> None:
    assert frozenset({"rejected", "needs_human_review"}) == SFT_NEVER


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (evidence(response=None), "response_not_recorded"),
        (evidence(response=" \n"), "response_empty"),
        (conversation(1, turn("user", "Hello?"), turn("assistant", "")), "response_empty"),
        (evidence(instruction=None), "instruction_missing"),
        (evidence(instruction=" "), "instruction_missing"),
        (conversation(1, turn("system", "Policy"), turn("assistant", "Hi")), "instruction_missing"),
        (evidence(response="export KEY=" + SECRET), "secret_found"),
        (evidence(context=SECRET), "secret_found"),
        (evidence(tags=[SECRET]), "secret_found"),
        (
            conversation(1, turn("user", "Go"), turn("assistant", None, ("x", SECRET))),
            "secret_found",
        ),
        (
            conversation(1, turn("user", "Go"), turn("tool", SECRET), turn("assistant", "k")),
            "secret_found",
        ),
    ],
)
def test_each_refusal_has_its_reason(row: dict[str, Any], reason: str) -> None:
    assert refused(row) == reason


def test_a_secret_in_a_turn_that_is_cut_does_not_count() -> None:
    row = conversation(1, turn("user", "Go"), turn("assistant", "Done."), turn("user", SECRET))
    assert b"AKIA" not in orjson.dumps(made(row))


def test_a_refusal_holds_no_text_of_the_run() -> None:
    row = evidence(response=SECRET)
    assert sft_row(row, scored(row, "accepted"), OPTIONS) == Refusal(
        QuarantineReason.SECRET_FOUND, "aws_access_key"
    )


def test_a_row_over_the_limit_is_refused_and_never_cut() -> None:
    tokens = made(conversation())["estimated_tokens"]
    at_limit = ExportSettings(sft=SftSettings(max_tokens=tokens))
    below = ExportSettings(sft=SftSettings(max_tokens=tokens - 1))
    row = conversation()
    assert not isinstance(sft_row(row, scored(row, "accepted"), at_limit), Refusal)
    assert refused(row, options=below) == "too_long"


def test_equal_samples_have_equal_keys_whoever_gave_them() -> None:
    def key(row: dict[str, Any]) -> bytes:
        sample = read_sample(row)
        assert not isinstance(sample, Refusal)
        return sft_sample_key(sample)

    assert key(evidence(1, response="wc -l FILE\r\n", model_name="model-b")) == key(evidence(2))
    assert key(evidence(1, context="other")) != key(evidence(2))
    assert key(conversation(1)) == key(conversation(2, reward=0.5))
    for row in (evidence(1), conversation(1)):
        assert key(row | {"tools": TOOLS}) == key(row | {"tools": TOOLS, "reward": 0.5}) != key(row)
        assert key(row | {"tools": "[]"}) == key(row)
    assert key(conversation(1)) != key(conversation(1, *conversation()["messages"][1:]))


TEXT = st.none() | st.text(max_size=20)
TURNS = st.lists(
    st.builds(
        turn,
        st.sampled_from(["system", "user", "assistant", "tool"]),
        TEXT,
    )
    | st.builds(turn, st.just("assistant"), TEXT, st.tuples(st.just("run"), st.just('{"x":1}'))),
    max_size=6,
)


@given(
    st.one_of(
        st.builds(evidence, instruction=TEXT, context=TEXT, response=TEXT),
        TURNS.map(lambda turns: evidence(messages=turns, response=None)),
    ),
    st.sampled_from(["accepted", "partially_accepted", "needs_human_review", "rejected"]),
)
def test_every_run_becomes_a_valid_row_or_a_refusal(row: dict[str, Any], category: str) -> None:
    result = sft_row(row, scored(row, category), OPTIONS)
    if isinstance(result, Refusal):
        return
    validate_sft(result)
    assert result["quality_score"] in {"accepted", "partially_accepted"}
    assert result["messages"][-1]["role"] == "assistant"
    assert not [value for value in result.values() if value is None or value == []]
