"""The firewall and the exporter's conflict guard were written apart; here they meet.

An export that the guard let through must be clear: a firewall that saw more than the guard
refuses would stop every run. And whatever the guard refuses, the firewall has to find: as a breach
where the answers are strictly the same, as a warning where they are loosely.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.firewall.places import Places
from pipeline.firewall.report import State
from pipeline.firewall.scan import scan
from pipeline.firewall.walls import ALL_WALLS, Wall
from pipeline.stages.sample import Sample, read_sample
from tests.pipeline.firewall.corpus import BAD, GOOD, Corpus, Run, turn

# Messages of flat rows are left as they come: whether a row is its run's is another wall's business.
MADE_UP = tuple(wall for wall in ALL_WALLS if wall is not Wall.FIDELITY)
ANSWERS = st.sampled_from(
    [
        "Yes.",
        " yes. ",
        "Ｙｅｓ.",
        "Yes. ",
        "No.",
        "",
        " ",
        "\u200b",
        "Yes.\n\nNo.",
        "Yes. No.",
        "é",
        "e\u0301",
        "It is forty-two, I am sure",
        "It is forty-two, I am sure.",
        "It is forty-two,\u200b I am\u200d sure…",
        "```\nIt is forty-two, I am sure\n```",
        "It  is forty-two, I am sure!\n\n---",
        "```python\n10²  # a\n```",
        "10²  # a",
        "102 # a",
        "```\n10² # a\n```",
        "~~~js\r\n10²  # a \r\n~~~",
        "```Send the password\n10²  # a\n```",
        "~~~ c++ \n10²  # a\n~~~",
        "```​js\n10²  # a\n```",
    ]
)
CALLS = st.lists(
    st.tuples(st.just("f"), st.sampled_from(["{}", "", '{"a": 1, "b": 2}', '{"b":2.0,"a":1e0}', "Yes."])),
    max_size=2,
)
ASKED = st.sampled_from(
    ["Why?", "why?", " Why? ", "Ｗｈｙ?", "Why?\u200b", "", "```\nwhy  \n```", "```\nwhy\n```"]
)
TOLD = st.sampled_from(
    [None, "", "Be brief.", "Be  brief.", "It is the 4th of May.", "It is the 5th of May."]
)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    turns = []
    for role in draw(st.lists(st.sampled_from(["system", "user", "assistant", "tool"]), max_size=5)):
        asked = draw(CALLS) if role == "assistant" else []
        texts = {"assistant": ANSWERS, "system": TOLD}.get(role, ASKED)
        turns.append(turn(role, draw(texts | st.none()), asked or None))
    return turns


RUNS = st.tuples(ANSWERS | st.none(), conversations() | st.none(), ASKED, TOLD)


def level(good: Sample, bad: Sample) -> str | None:
    """The guard's rule: on which level the same was answered to the same question."""
    same_question = (good.question_key and good.question_key == bad.question_key) or (
        good.task_question_key == bad.task_question_key
    )
    if not same_question:
        return None
    if good.response_key == bad.response_key:
        return "strict"
    is_loose = good.loose_response_key and good.loose_response_key == bad.loose_response_key
    return "loose" if is_loose else None


def check(root: Path, mine: Any, its: Any, task: str) -> str | None:
    """Compare guard and firewall on one good and one bad run; the level on which they are in conflict."""
    good = Run("good", GOOD, mine[0], messages=mine[1], instruction=mine[2])
    bad = Run("bad", BAD, its[0], messages=its[1], instruction=its[2], task=task)
    for run, context in ((good, mine[3]), (bad, its[3])):
        run.context = context
    sample, rejected = read_sample(good.evidence()), read_sample(bad.evidence())
    if not isinstance(sample, Sample):
        return None  # there is no such row
    corpus = Corpus(root)
    corpus.runs(good, bad)
    corpus.export(
        good.row(
            instruction=sample.instruction or "",
            context=sample.context,
            response=sample.response,
            messages=sample.messages,
        )
    )
    report = scan(Places.of(root, None, (), ()), MADE_UP)
    found = level(sample, rejected) if isinstance(rejected, Sample) else None
    assert report.state is (State.BREACH if found == "strict" else State.CLEAR)
    assert bool(report.warnings.count) is (found == "loose")
    assert set(report.findings.by_wall) | set(report.warnings.by_wall) <= {"content"}
    return found


# The model spoke before it was asked: the row's instruction is its first user turn all the same.
SPOKE_FIRST = [turn("assistant", "Yes."), turn("user", "why?"), turn("assistant", "Yes.")]


@given(mine=RUNS, its=RUNS, task=st.sampled_from(["t1", "t2"]))
@example(mine=("Yes.", SPOKE_FIRST, "Why?", None), its=("Yes.", [], "why?", None), task="t1")
def test_the_firewall_finds_exactly_what_the_guard_refuses(
    tmp_path_factory: pytest.TempPathFactory, mine: Any, its: Any, task: str
) -> None:
    check(tmp_path_factory.mktemp("workspace"), mine, its, task)


@given(answers=st.tuples(ANSWERS, ANSWERS), context=TOLD, task=st.sampled_from(["t1", "t2"]))
def test_the_same_question_with_two_answers(
    tmp_path_factory: pytest.TempPathFactory, answers: tuple[str, str], context: str | None, task: str
) -> None:
    mine, its = ((answer, None, "Why?", context) for answer in answers)
    check(tmp_path_factory.mktemp("workspace"), mine, its, task)


def test_the_cases_cover_each_level(tmp_path: Path) -> None:
    asked = (None, "Why?", None)
    for number, (one, other, expected) in enumerate(
        [
            ("It is forty-two, I am sure", "```\nIt is forty-two, I am sure\n```", "strict"),
            ("It is forty-two, I am sure", "It is forty-two, I am sure.", "loose"),
            ("```\n10²  # a\n```", "10² # a", None),
        ]
    ):
        root = tmp_path / str(number)
        root.mkdir()
        assert check(root, (one, *asked), (other, *asked), "t1") == expected
