"""Which rows the limits of an export keep out: each limit by an example, and what holds in any order."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from pipeline.settings.model import ExportSettings, RagSettings, SftSettings
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.row_limits import LimitedRow, Place, rows_to_hold
from pipeline.stages.run_limits import personal_refusal, verdict_refusal
from pipeline.stages.sample import Sample, read_sample
from pipeline.stages.scoring_rules import RANK
from pipeline.stages.text_keys import weights_of
from tests.pipeline.stages.builders import evidence, scored, turn

CAP = QuarantineReason.TASK_CAP


def row(
    name: str,
    category: str = "accepted",
    *,
    task: str = "t",
    stream: str = "s",
    score: float = 1.0,
    turns: int = 1,
    talk: str = "",
    weights: Sequence[float] = (),
    place: Place | None = None,
    is_cut_off: bool = False,
) -> LimitedRow:
    """``talk`` spells a conversation, two letters a message: who speaks (u, a) and what is said."""
    keys = b"".join(talk[at : at + 2].encode() + b"......" for at in range(0, len(talk), 2))
    task_key, packed = f"{stream}/{task}".encode(), struct.pack(f"<{len(weights)}d", *weights)
    at = place or (0, sum(name.encode()))
    return LimitedRow(at, stream, name, task_key, RANK[category], score, turns, keys, packed, b"", is_cut_off)


def held(rows: Sequence[LimitedRow], **limits: Any) -> dict[str, str]:
    names = {each.place: each.run_id for each in rows}
    kept_out = rows_to_hold(lambda: iter(rows), SftSettings(**limits), of_tasks=CAP)
    return {names[place]: str(reason) for place, reason in kept_out.items()}


def of_many(count: int, **fields: Any) -> list[LimitedRow]:
    return [row(f"r{number:03}", place=(number // 7, number % 7), **fields) for number in range(count)]


def test_without_limits_every_row_stays() -> None:
    assert held(of_many(50)) == {}


@pytest.mark.parametrize(
    ("best", "other"),
    [
        ({"category": "accepted", "score": 0.9}, {"category": "partially_accepted", "score": 1.0}),
        ({"score": 0.9, "turns": 9}, {"score": 0.8, "turns": 1}),
        ({"turns": 2}, {"turns": 3}),
        ({"score": 0.1, "turns": 9}, {"score": 1.0, "is_cut_off": True}),
        ({"is_cut_off": True}, {"category": "partially_accepted"}),
    ],
)
def test_of_a_task_the_best_stays(best: dict[str, Any], other: dict[str, Any]) -> None:
    for names in (("a", "b"), ("b", "a")):
        assert held([row(names[0], **best), row(names[1], **other)], max_per_task=1) == {names[1]: "task_cap"}


def test_of_equals_in_a_task_the_smaller_id_stays() -> None:
    assert held([row("b"), row("a"), row("c")], max_per_task=2) == {"c": "task_cap"}


def test_the_cap_of_a_task_is_one_a_task() -> None:
    rows = [row("a", task="x"), row("b", task="y"), row("c", task="x")]
    assert held(rows, max_per_task=1) == {"c": "task_cap"}
    assert held(rows, max_per_task=2) == {}


def test_of_one_trace_the_longest_conversation_stays() -> None:
    rows = [
        row("a", talk="u1a1"),
        row("b", talk="u1a1u2a2"),
        row("c", talk="u1a1u2a2u3a3"),
        row("d", talk="u1a9"),
    ]
    assert held(rows) == {"a": "prefix_of", "b": "prefix_of"}


@pytest.mark.parametrize("other", ["u1a2u2a2", "u2a1u2a2", "u1a1", "u1u1a1", "", "s1u1a1u2a2"])
def test_what_parts_before_its_end_is_no_beginning(other: str) -> None:
    assert held([row("a", talk="u1a1"), row("b", talk=other)]) == {}


@pytest.mark.parametrize("other", [{"task": "t2"}, {"stream": "s2"}])
def test_another_task_or_stream_may_begin_in_the_same_way(other: dict[str, Any]) -> None:
    assert held([row("a", talk="u1a1"), row("b", talk="u1a1u2a2", **other)]) == {}


@pytest.mark.parametrize(
    ("of_a", "of_b", "is_held"),
    [
        ((), (1, 0, 1, 1), False),  # nothing else teaches the first answer
        ((), (1, 0.5, 1, 1), False),
        ((), (1, 1, 1, 0), True),
        ((1, 0.5), (1, 0.5, 1, 1), True),
        ((1, 0.5), (), False),
    ],
)
def test_turns_are_the_same_when_they_count_the_same(
    of_a: tuple[float, ...], of_b: tuple[float, ...], is_held: bool
) -> None:
    rows = [row("a", talk="u1a1", weights=of_a), row("b", talk="u1a1u2a2", weights=of_b)]
    assert held(rows) == ({"a": "prefix_of"} if is_held else {})


def test_weights_of_answers_alone_are_told_and_only_where_one_is_not_1() -> None:
    def said(role: str, weight: float | None) -> dict[str, Any]:
        return {**turn(role, "x"), "weight": weight}

    assert weights_of([said("user", 0.0), said("assistant", None), said("assistant", 1.0)]) == b""
    packed = weights_of([said("user", 0.0), said("assistant", 0.0), said("assistant", None)])
    assert packed == struct.pack("<3d", 1, 0, 1)


def test_a_flat_row_is_the_beginning_of_nothing() -> None:
    assert held([row("a"), row("b"), row("c", talk="u1a1")]) == {}


def test_a_cap_of_a_stream_leaves_the_others_alone() -> None:
    rows = [
        *of_many(20),
        *(
            each._replace(stream="other", place=(9, each.place[0] * 7 + each.place[1]))
            for each in of_many(20)
        ),
    ]
    kept_out = rows_to_hold(lambda: iter(rows), SftSettings(stream_caps={"s": 5}), of_tasks=CAP)
    assert len(kept_out) == 15
    assert set(kept_out.values()) == {QuarantineReason.STREAM_CAP}
    assert all(place[0] != 9 for place in kept_out)


@pytest.mark.parametrize(("most", "out"), [(1, 29), (29, 1), (30, 0), (31, 0)])
def test_max_rows_on_both_sides(most: int, out: int) -> None:
    assert list(held(of_many(30), max_rows=most).values()) == ["row_cap"] * out


def test_max_rows_takes_the_better_first_and_of_equals_not_the_first_of_a_file() -> None:
    rows = [
        *of_many(30),
        row("good", place=(8, 0), score=1.0),
        row("partly", "partially_accepted", place=(8, 1)),
    ]
    rows = [each._replace(score=0.5) if each.run_id.startswith("r") else each for each in rows]
    kept = {each.run_id for each in rows} - held(rows, max_rows=10).keys()
    assert "good" in kept
    assert "partly" not in kept
    assert kept != {"good", *(f"r{number:03}" for number in range(9))}


def test_each_limit_counts_what_the_one_before_left() -> None:
    rows = [
        row("a", talk="u1a1", task="y"), row("b", talk="u1a1u2a2", task="y"),
        row("c", task="z"), row("d", task="z"), row("e", task="q"), row("f", task="r", stream="other"),
    ]  # fmt: skip
    kept_out = held(rows, max_per_task=1, stream_caps={"s": 3}, max_rows=3)
    assert kept_out.pop("a") == "prefix_of"
    assert kept_out.pop("d") == "task_cap"
    assert list(kept_out.values()) == ["row_cap"]


def test_the_order_of_the_rows_and_the_cut_of_the_chunks_do_not_matter() -> None:
    dice = random.Random(3)  # noqa: S311 - an order that can be repeated
    rows = [
        row(f"r{number}", dice.choice(("accepted", "partially_accepted")), task=dice.choice("xyz"),
            stream=dice.choice("st"), score=dice.choice((0.5, 1.0)), turns=dice.randrange(1, 4),
            talk=dice.choice(("", "u1a1", "u1a1u2a2", f"u1a1u2a2u3a{number % 10}")))
        for number in range(60)
    ]  # fmt: skip
    limits: dict[str, Any] = {"max_per_task": 4, "stream_caps": {"s": 7}, "max_rows": 12}

    def reasons(ordered: Iterable[LimitedRow], chunk: int) -> dict[str, str]:
        placed = [each._replace(place=divmod(number, chunk)) for number, each in enumerate(ordered)]
        return held(placed, **limits)

    first = reasons(rows, 10)
    for chunk in (1, 7, 60):
        dice.shuffle(rows)
        assert reasons(rows, chunk) == first
    assert set(first.values()) >= {"prefix_of", "task_cap", "row_cap"}


PARTLY = scored(evidence(reward=0.7))


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({}, None),
        ({"categories": ("accepted",)}, "category_left_out"),
        ({"categories": ("partially_accepted",)}, None),
        ({"partial_at": {"shell": 0.71}}, "below_partial_at"),
        ({"partial_at": {"shell": 0.7}}, None),
        ({"partial_at": {"other": 0.9}}, None),
    ],
)
def test_a_run_is_left_out_by_its_verdict(limits: dict[str, Any], reason: str | None) -> None:
    refusal = verdict_refusal(PARTLY, SftSettings(**limits))
    assert (refusal.reason.value if refusal else None) == reason


def test_partial_at_is_no_matter_of_an_accepted_run() -> None:
    accepted = scored(evidence(verdict="pass")) | {"score": 0.5}
    assert verdict_refusal(accepted, RagSettings(partial_at={"shell": 0.9})) is None


@pytest.mark.parametrize(
    ("pii", "text", "detail"),
    [
        ("report", "Mail bob@acme.io.", None),
        ("refuse", "Mail bob@acme.io or +44 20 7946 0958.", "email phone"),
        ("refuse", "Mail bob@example.com.", None),
    ],
)
def test_personal_data_is_reported_or_refused(pii: Any, text: str, detail: str | None) -> None:
    sample = read_sample(evidence(response=text))
    refusal = personal_refusal(sample, ExportSettings(pii=pii))
    assert refusal == (Refusal(QuarantineReason.PII_FOUND, detail) if detail else None)


def test_personal_data_is_looked_for_in_every_exported_text_and_not_beyond() -> None:
    mail = "bob@acme.io"
    asking = turn("assistant") | {
        "tool_calls": [{"id": "c", "name": "mail", "arguments": f'{{"to": "{mail}"}}'}]
    }
    runs = [
        evidence(instruction=mail), evidence(context=mail), evidence(tags=[mail]), evidence(task_id=mail),
        evidence(messages=[turn("user", mail), turn("assistant", "Ok.")]),
        evidence(messages=[turn("user", "Go."), asking, turn("tool", "sent"), turn("assistant", "Ok.")]),
        evidence(messages=[turn("user", "Go."), turn("assistant", "Ok.") | {"reasoning": mail}]),
    ]  # fmt: skip
    for run in runs:
        sample = read_sample(run)
        assert isinstance(sample, Sample)
        assert sample.holds.personal == 1
    unseen = read_sample(evidence(goal=mail))
    assert isinstance(unseen, Sample)
    assert unseen.holds.personal == 0


@pytest.mark.parametrize("category", ["rejected", "needs_human_review"])
def test_a_limit_stands_in_front_of_no_wall(category: str) -> None:
    """What the never-list lets through is for the schema to refuse, not for a setting to hide."""
    assert verdict_refusal(PARTLY | {"category": category}, SftSettings(categories=("accepted",))) is None
