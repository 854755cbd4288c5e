"""Which runs may stand in a pair, and what the row of a pair holds."""

from __future__ import annotations

from typing import Any, Literal

import orjson
import pytest

from pipeline.schemas.preference import PreferenceSample
from pipeline.schemas.validators import validate_preference
from pipeline.settings.model import ExportSettings, PreferenceSettings
from pipeline.stages.export_preference import preference_row, side_refusal
from pipeline.stages.export_sft import sft_row
from pipeline.stages.pairing import PairOptions, PreferenceCandidate, choose_pairs
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.row_identity import task_identity
from pipeline.stages.sample import Sample, read_sample
from tests.pipeline.stages.builders import OPTIONS, conversation, evidence, exported, scored, turn

GOOD = evidence(1, response="wc -l FILE", reward=1.0)
BAD = evidence(2, response="cat FILE", reward=0.0, model_name="model-b")


def pair_of(
    good: dict[str, Any], bad: dict[str, Any], ranks: tuple[str, str] = ("accepted", "rejected")
) -> dict[str, Any] | Refusal:
    return preference_row(good, scored(good, ranks[0]), bad, scored(bad, ranks[1]), OPTIONS)


def made(good: dict[str, Any], bad: dict[str, Any]) -> dict[str, Any]:
    row = pair_of(good, bad)
    assert not isinstance(row, Refusal), row
    validate_preference(row)
    return row


def reason_of(result: object) -> str:
    assert isinstance(result, Refusal)
    return result.reason.value


def test_a_flat_pair_holds_prompt_both_answers_and_both_lineages() -> None:
    row = made(GOOD, BAD)
    assert {key: row[key] for key in row if key not in ("id", "split")} == {
        "shape": "flat",
        "prompt": [exported(turn("user", "Count the lines of a file."))],
        "chosen": [exported(turn("assistant", "wc -l FILE"))],
        "rejected": [exported(turn("assistant", "cat FILE"))],
        "tools": "",
        "reason": "accepted_over_rejected",
        "chosen_run_id": GOOD["run_id"],
        "rejected_run_id": BAD["run_id"],
        "stream": "shell",
        "task_id": "count-lines",
        "chosen_model_name": "model-a",
        "rejected_model_name": "model-b",
        "chosen_score": 1.0,
        "rejected_score": 0.0,
        "attempts": 2,
        "passed": 1,
        "turns": 1,
        "estimated_tokens": 9 + 2 * 4,
        "chosen_provenance": GOOD["provenance"],
        "rejected_provenance": BAD["provenance"],
    }
    assert list(row) == [name for name in PreferenceSample.model_fields if name != "recorded_at"]


def test_a_flat_prompt_is_the_prompt_of_the_sft_row() -> None:
    good = GOOD | {"context": "FILE holds text."}
    row = made(good, BAD | {"context": "FILE holds text."})
    sft = sft_row(good, scored(good, "accepted"), OPTIONS)
    assert not isinstance(sft, Refusal)
    assert [turn["role"] for turn in row["prompt"]] == ["system", "user"]
    assert row["prompt"] == sft["messages"][:-1]


def test_a_pair_says_how_many_attempts_of_its_task_passed() -> None:
    row = preference_row(
        GOOD, scored(GOOD, "accepted"), BAD, scored(BAD, "rejected"), OPTIONS, attempts=5, passed=3
    )
    assert not isinstance(row, Refusal)
    assert (row["attempts"], row["passed"]) == (5, 3)


WEATHER = '[{"type":"function","function":{"name":"weather"}}]'


def test_two_runs_under_other_tools_were_not_asked_the_same() -> None:
    for good, bad in ((GOOD, BAD), (conversation(1), conversation(2, turn("user", "x")))):
        assert reason_of(pair_of(good | {"tools": WEATHER}, bad)) in ("prompt_differs", "response_empty")
        assert reason_of(pair_of(good, bad | {"tools": WEATHER})) in ("prompt_differs", "response_empty")
    assert made(GOOD | {"tools": WEATHER}, BAD | {"tools": WEATHER})["tools"] == WEATHER
    # A list of no tools offers none.
    assert made(GOOD | {"tools": "[]"}, BAD)["tools"] == ""


def test_conversations_share_the_messages_before_the_first_answer_that_differs() -> None:
    start = [turn("system", "Policy"), turn("user", "Book a seat."), turn("assistant", "Which?")]
    good = conversation(1, *start, turn("user", "4A"), turn("assistant", None, ("book", '{"seat": "4A"}')))
    bad = conversation(
        2, *start, turn("user", "4A"), turn("assistant", "Sold out."), turn("user", "###STOP###")
    )
    row = made(good, bad)
    assert row["prompt"] == [exported(each) for each in [*start, turn("user", "4A")]]
    assert row["chosen"] == [exported(good["messages"][4])]
    assert row["rejected"] == [exported(turn("assistant", "Sold out."))]
    assert b"###STOP###" not in orjson.dumps(row)


ASKED = turn("user", "Book it.")
LONG_GOOD = conversation(
    1, ASKED, turn("assistant", "When?"), turn("user", "Now."), turn("assistant", "Done.")
)
LONG_BAD = conversation(
    2, ASKED, turn("assistant", "No."), turn("user", "Why?"), turn("assistant", "Because.")
)


@pytest.mark.parametrize(
    ("completion", "said", "turns"),
    [
        ("first_turn", (["When?"], ["No."]), 1),
        ("turns", (["When?", "Now.", "Done."], ["No.", "Why?", "Because."]), 2),
    ],
)
def test_the_setting_decides_whether_a_side_holds_the_turns_of_others(
    completion: Literal["first_turn", "turns"], said: tuple[list[str], list[str]], turns: int
) -> None:
    options = ExportSettings(preference=PreferenceSettings(completion=completion))
    verdicts = scored(LONG_GOOD, "accepted"), scored(LONG_BAD, "rejected")
    row = preference_row(LONG_GOOD, verdicts[0], LONG_BAD, verdicts[1], options)
    assert not isinstance(row, Refusal)
    validate_preference(row)
    assert tuple([turn["content"] for turn in row[side]] for side in ("chosen", "rejected")) == said
    assert row["turns"] == turns


def test_a_cut_side_is_measured_as_it_is_written() -> None:
    row = made(LONG_GOOD, LONG_BAD)
    assert row["estimated_tokens"] == -(-len("Book it.When?") // 4) + 2 * 4


def test_turns_that_say_nothing_do_not_count_as_the_first_one() -> None:
    silent = conversation(2, ASKED, turn("assistant", " "), turn("assistant", "No."))
    row = made(LONG_GOOD, silent)
    assert [turn["content"] for turn in row["rejected"]] == ["No."]
    mute = conversation(2, ASKED, turn("assistant", ""), turn("user", "Hello?"), turn("assistant", "No."))
    assert reason_of(pair_of(LONG_GOOD, mute)) == "response_empty"


def test_conversations_that_part_at_a_user_turn_share_no_prompt() -> None:
    good = conversation(
        1, turn("user", "Hi"), turn("assistant", "Yes?"), turn("user", "a"), turn("assistant", "A")
    )
    bad = conversation(
        2, turn("user", "Hi"), turn("assistant", "Yes?"), turn("user", "b"), turn("assistant", "B")
    )
    assert reason_of(pair_of(good, bad)) == "prompt_differs"


@pytest.mark.parametrize(
    ("good", "bad", "ranks", "reason"),
    [
        (GOOD, BAD, ("needs_human_review", "rejected"), "category_not_allowed"),
        (GOOD, BAD, ("accepted", "needs_human_review"), "category_not_allowed"),
        (GOOD, BAD, ("rejected", "rejected"), "no_counterpart"),
        (GOOD, BAD, ("partially_accepted", "accepted"), "no_counterpart"),
        (GOOD, GOOD, ("accepted", "rejected"), "no_counterpart"),
        (GOOD, BAD | {"response": "```sh\nwc -l FILE \r\n```"}, ("accepted", "rejected"), "duplicate_sample"),
        (GOOD, BAD | {"task_id": "other"}, ("accepted", "rejected"), "prompt_differs"),
        (GOOD, BAD | {"stream": "other"}, ("accepted", "rejected"), "prompt_differs"),
        (GOOD, BAD | {"context": "other"}, ("accepted", "rejected"), "prompt_differs"),
        (GOOD, conversation(2), ("accepted", "rejected"), "prompt_differs"),
        (GOOD, BAD | {"response": None}, ("accepted", "rejected"), "response_not_recorded"),
    ],
)
def test_a_pair_that_must_not_be_is_refused_whoever_chose_it(
    good: dict[str, Any], bad: dict[str, Any], ranks: tuple[str, str], reason: str
) -> None:
    assert reason_of(pair_of(good, bad, ranks)) == reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (evidence(response=None), "response_not_recorded"),
        (evidence(response=""), "response_empty"),
        (evidence(instruction=None), "instruction_missing"),
        (evidence(response="AKIA" + "IOSFODNN7EXAMPLE"), "secret_found"),
    ],
)
def test_a_run_that_can_stand_on_no_side_is_no_candidate(row: dict[str, Any], reason: str) -> None:
    assert reason_of(side_refusal(read_sample(row), OPTIONS)) == reason


def test_a_run_over_the_limit_is_no_candidate() -> None:
    tight = ExportSettings(preference=PreferenceSettings(max_tokens=5))
    assert reason_of(side_refusal(read_sample(GOOD), tight)) == QuarantineReason.TOO_LONG


def as_pairing_sees(row: dict[str, Any], verdict: dict[str, Any]) -> PreferenceCandidate:
    sample = read_sample(row)
    assert isinstance(sample, Sample)
    return PreferenceCandidate(
        run_id=row["run_id"],
        task_key=task_identity(row["stream"], row["task_id"]).key,
        category=verdict["category"],
        score=verdict["score"],
        response_key=sample.response_key,
        prompt_key=sample.prompt_key,
        turn_keys=sample.turn_keys or None,
    )


def test_what_pairing_chooses_becomes_a_valid_row() -> None:
    """Both sides read the same texts, so a pair that was chosen is never refused afterwards."""
    runs = {
        row["run_id"]: row for row in (GOOD, BAD, conversation(3, reward=1.0), conversation(4, reward=0.0))
    }
    runs[conversation(4)["run_id"]]["messages"][2] = turn("assistant", "No.")
    verdicts = {name: scored(row) for name, row in runs.items()}
    candidates = [as_pairing_sees(row, verdicts[name]) for name, row in runs.items()]
    pairs, unused = choose_pairs(candidates, PairOptions(), ())
    assert (len(pairs), unused) == (2, [])
    for pair in pairs:
        row = preference_row(
            runs[pair.chosen_run_id],
            verdicts[pair.chosen_run_id],
            runs[pair.rejected_run_id],
            verdicts[pair.rejected_run_id],
            OPTIONS,
        )
        assert not isinstance(row, Refusal)
        validate_preference(row)
        assert row["reason"] == pair.reason
