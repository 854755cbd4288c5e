"""Which runs make a pair: each reason by an example, and what holds for any set of runs."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.pairing import (
    Pair,
    PairOptions,
    PairReason,
    PreferenceCandidate,
    Unused,
    choose_pairs,
    pair_reason,
    shared_messages,
)
from pipeline.stages.refusals import QuarantineReason
from pipeline.stages.scoring_rules import RANK

FOUR = PairOptions(max_pairs_per_task=4)
A, P, R = "accepted", "partially_accepted", "rejected"


def run(
    name: str,
    category: str,
    text: str | None = None,
    *,
    score: float = 0.5,
    prompt: str = "p",
    turns: str = "",
) -> PreferenceCandidate:
    """A candidate. ``turns`` spells a conversation, two letters a message: role and what is said."""
    keys = b"".join(turns[at : at + 2].encode() + b"......" for at in range(0, len(turns), 2))
    return PreferenceCandidate(
        run_id=name,
        task_key=b"task",
        category=category,
        score=score,
        response_key=(text or name).encode(),
        prompt_key=b"" if turns else prompt.encode(),
        turn_keys=keys or None,
    )


def reasons(unused: Sequence[Unused]) -> dict[str, str]:
    return {each.run_id: each.reason.value for each in unused}


def test_the_best_is_paired_with_the_worst() -> None:
    pairs, unused = choose_pairs(
        [run("r1", R), run("a1", A), run("p1", P), run("a2", A, score=0.9), run("p2", P)], FOUR, ()
    )
    assert pairs == [
        Pair("a2", "r1", PairReason.ACCEPTED_OVER_REJECTED),
        Pair("a1", "p2", PairReason.ACCEPTED_OVER_PARTIALLY_ACCEPTED),
    ]
    assert reasons(unused) == {"p1": "no_counterpart"}


def test_runs_of_one_rank_have_no_counterpart() -> None:
    pairs, unused = choose_pairs([run("a1", A), run("a2", A)], FOUR, ())
    assert (pairs, reasons(unused)) == ([], {"a1": "no_counterpart", "a2": "no_counterpart"})


def test_a_text_with_both_verdicts_stands_on_neither_side() -> None:
    pairs, unused = choose_pairs([run("a1", A, "same"), run("r1", R, "same"), run("r2", R)], FOUR, ())
    assert pairs == []
    assert reasons(unused) == {
        "a1": "conflicting_verdict",
        "r1": "conflicting_verdict",
        "r2": "no_counterpart",
    }


def test_a_text_with_two_ranks_stands_on_neither_side() -> None:
    _, unused = choose_pairs([run("a1", A, "same"), run("p1", P, "same")], FOUR, ())
    assert set(reasons(unused).values()) == {"conflicting_verdict"}


def test_a_text_that_conflicts_elsewhere_stands_on_neither_side() -> None:
    pairs, unused = choose_pairs([run("a1", A, "bad"), run("r1", R)], FOUR, {"a1"})
    assert (pairs, reasons(unused)) == ([], {"a1": "conflicting_verdict", "r1": "no_counterpart"})


def test_of_runs_with_one_text_the_best_stays() -> None:
    pairs, unused = choose_pairs(
        [run("a1", A, "x", score=0.8), run("a2", A, "x", score=0.9), run("r1", R), run("r2", R)], FOUR, ()
    )
    assert [pair.chosen_run_id for pair in pairs] == ["a2"]
    assert reasons(unused)["a1"] == "duplicate_sample"


def test_other_prompts_make_no_pair() -> None:
    pairs, unused = choose_pairs([run("a1", A, prompt="one"), run("r1", R, prompt="two")], FOUR, ())
    assert (pairs, reasons(unused)) == ([], {"a1": "prompt_differs", "r1": "prompt_differs"})


def test_a_flat_run_and_a_conversation_make_no_pair() -> None:
    pairs, unused = choose_pairs([run("a1", A), run("r1", R, turns="u1a1")], FOUR, ())
    assert (pairs, reasons(unused)) == ([], {"a1": "prompt_differs", "r1": "prompt_differs"})


def test_a_task_of_which_none_passed_makes_no_pair() -> None:
    """Whether any passed is told: a run that passed may be no candidate itself."""
    runs = [run("p1", P), run("r1", R), run("r2", R, prompt="other")]
    pairs, unused = choose_pairs(runs, FOUR, (), some_passed=False)
    assert pairs == []
    assert reasons(unused) == {"p1": "none_passed", "r1": "none_passed", "r2": "prompt_differs"}
    (pair,), _ = choose_pairs(runs, FOUR, (), some_passed=True)
    assert pair.reason is PairReason.PARTIALLY_ACCEPTED_OVER_REJECTED


FIRST_TURN = PairOptions(max_pairs_per_task=4, completion="first_turn")
# Two pairs that part at the same two turns, and one that parts at them the other way round.
SAME_WAY = [
    run("a1", A, turns="u1axu2a1"),
    run("r1", R, turns="u1ayu2a2"),
    run("a2", A, turns="u1axu3a3"),
    run("r2", R, turns="u1ayu3a4"),
]
OTHER_WAY = [*SAME_WAY[:2], run("a2", A, turns="u1ayu3a3"), run("r2", R, turns="u1axu3a4")]


def test_whole_sides_that_begin_alike_are_pairs_of_their_own() -> None:
    assert len(choose_pairs(SAME_WAY, FOUR, ())[0]) == 2


def test_of_two_pairs_with_the_same_first_turns_one_stays() -> None:
    pairs, unused = choose_pairs(SAME_WAY, FIRST_TURN, ())
    assert len(pairs) == 1
    assert sorted(reasons(unused).values()) == ["duplicate_sample", "duplicate_sample"]


def test_first_turns_that_are_preferred_both_ways_are_in_no_pair() -> None:
    whole, _ = choose_pairs(OTHER_WAY, FOUR, ())
    assert [(pair.chosen_run_id, pair.rejected_run_id) for pair in whole] == [("a1", "r1"), ("a2", "r2")]
    pairs, unused = choose_pairs(OTHER_WAY, FIRST_TURN, ())
    assert pairs == []
    assert reasons(unused) == dict.fromkeys(("a1", "r1", "a2", "r2"), "conflicting_verdict")


def test_tools_part_the_prompts_of_conversations() -> None:
    good, bad = run("a1", A, turns="u1ax"), run("r1", R, turns="u1ay")
    assert len(choose_pairs([good, bad], FOUR, ())[0]) == 1
    pairs, unused = choose_pairs([good, bad._replace(prompt_key=b"other tools")], FOUR, ())
    assert (pairs, reasons(unused)) == ([], {"a1": "prompt_differs", "r1": "prompt_differs"})


def test_the_cap_keeps_the_widest_pairs() -> None:
    runs = [run("a1", A), run("a2", A, score=0.9), run("p1", P), run("r1", R)]
    pairs, unused = choose_pairs(runs, PairOptions(max_pairs_per_task=1), ())
    assert [(pair.chosen_run_id, pair.rejected_run_id) for pair in pairs] == [("a2", "r1")]
    assert reasons(unused) == {"a1": "pair_cap", "p1": "pair_cap"}


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("s1u1a1", "s1u1a2", 2),
        ("s1u1a1t1a1", "s1u1a1t1a2u9a9", 4),
        ("s1u1a1u2a2", "s1u1a1u3a2", None),  # they part at a user's turn
        ("s1u1a1t2a2", "s1u1a1t3a2", None),  # they part at a tool's turn
        ("u1a1", "u1a1u2a2", None),  # one is the start of the other
        ("u1a1", "u2a1", None),
        ("a1u1a2", "a2u1a2", None),  # nothing is shared
        ("u1a1", "u1t1a1", None),  # only one of them answers
    ],
)
def test_conversations_share_a_prompt_when_they_part_at_an_answer(
    one: str, other: str, shared: int | None
) -> None:
    keys = [run("x", A, turns=turns).turn_keys or b"" for turns in (one, other)]
    assert shared_messages(*keys) == shared_messages(*reversed(keys)) == shared


def test_conversations_that_part_at_an_answer_make_a_pair() -> None:
    pairs, unused = choose_pairs(
        [run("a1", A, turns="u1a1u2a2"), run("r1", R, turns="u1a3"), run("r2", R, turns="u1a1u3a4")], FOUR, ()
    )
    assert [(pair.chosen_run_id, pair.rejected_run_id) for pair in pairs] == [("a1", "r1")]
    assert reasons(unused) == {"r2": "prompt_differs"}


def test_a_reason_names_both_categories_and_refuses_the_wrong_order() -> None:
    assert pair_reason(P, R) is PairReason.PARTIALLY_ACCEPTED_OVER_REJECTED
    with pytest.raises(ValueError, match="rejected_over_accepted"):
        pair_reason(R, A)


@st.composite
def _runs(draw: st.DrawFn) -> list[PreferenceCandidate]:
    return [
        run(
            f"run{number}",
            draw(st.sampled_from(sorted(RANK))),
            draw(st.sampled_from("vwxyz")) + draw(st.sampled_from("12345")),
            score=draw(st.sampled_from([0.0, 0.5, 0.7, 1.0])),
            prompt=draw(st.sampled_from("pq")),
            turns=draw(st.sampled_from(["", "", "u1a1", "u1a2", "u1a2u2a3", "u1a2u3a3", "u2a1"])),
        )
        for number in range(draw(st.integers(0, 14)))
    ]


@given(_runs(), st.integers(1, 5), st.sets(st.sampled_from(["run1", "run2", "run3"])), st.randoms())
def test_any_set_of_runs_balances_is_sound_and_forgets_its_order(
    runs: list[PreferenceCandidate], cap: int, conflicting: set[str], shuffle: random.Random
) -> None:
    options = PairOptions(max_pairs_per_task=cap)
    pairs, unused = choose_pairs(runs, options, conflicting)

    names = [name for pair in pairs for name in pair[:2]] + [each.run_id for each in unused]
    assert sorted(names) == sorted(each.run_id for each in runs)  # each run once, used or refused
    assert len(pairs) <= cap
    by_name = {each.run_id: each for each in runs}
    verdicts: dict[bytes, set[int]] = {}
    for each in runs:
        verdicts.setdefault(each.response_key, set()).add(each.rank)
    for chosen, rejected in ((by_name[pair[0]], by_name[pair[1]]) for pair in pairs):
        assert chosen.rank > rejected.rank
        assert chosen.response_key != rejected.response_key
        assert not {chosen.run_id, rejected.run_id} & conflicting
        assert len(verdicts[chosen.response_key]) == len(verdicts[rejected.response_key]) == 1
        if chosen.turn_keys and rejected.turn_keys:
            assert shared_messages(chosen.turn_keys, rejected.turn_keys)
        else:
            assert (chosen.turn_keys, chosen.prompt_key) == (rejected.turn_keys, rejected.prompt_key)
    if len(pairs) < cap:
        assert QuarantineReason.PAIR_CAP not in {each.reason for each in unused}

    shuffled = list(runs)
    shuffle.shuffle(shuffled)
    assert choose_pairs(shuffled, options, conflicting) == (pairs, unused)


def of_length(name: str, category: str, tokens: int) -> PreferenceCandidate:
    return run(name, category)._replace(tokens=tokens)


@pytest.mark.parametrize(("gap", "pairs"), [(None, 1), (90, 1), (89, 0), (0, 0)])
def test_sides_whose_lengths_differ_by_more_than_the_gap_make_no_pair(gap: int | None, pairs: int) -> None:
    runs = [of_length("a", A, 100), of_length("r", R, 10)]
    made, unused = choose_pairs(runs, PairOptions(max_length_gap=gap), ())
    assert len(made) == pairs
    assert reasons(unused) == ({} if pairs else {"a": "length_gap", "r": "length_gap"})


def test_a_nearer_counterpart_is_taken_where_the_worst_is_too_far() -> None:
    runs = [of_length("a", A, 100), of_length("p", P, 95), of_length("r", R, 10)]
    made, unused = choose_pairs(runs, PairOptions(max_length_gap=10), ())
    assert [(pair.chosen_run_id, pair.rejected_run_id) for pair in made] == [("a", "p")]
    assert reasons(unused) == {"r": "length_gap"}


def test_a_run_that_may_not_be_chosen_is_still_a_rejected_side() -> None:
    left_out = QuarantineReason.CATEGORY_LEFT_OUT
    partly = run("p", P)._replace(choose_refusal=left_out)
    made, unused = choose_pairs([run("a", A), partly], FOUR, ())
    assert [(pair.chosen_run_id, pair.rejected_run_id) for pair in made] == [("a", "p")]
    made, unused = choose_pairs([partly, run("r", R)], FOUR, ())
    assert made == []
    assert reasons(unused) == {"p": "category_left_out", "r": "no_counterpart"}
