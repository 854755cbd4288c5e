"""The firewall and the exporter's conflict guard were written apart; here they meet.

An export that the guard let through must be clear: a firewall that saw more than the guard
refuses would stop every run. And whatever the guard refuses, the firewall has to find.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.firewall.places import Places
from pipeline.firewall.report import State
from pipeline.firewall.scan import scan
from pipeline.stages import text_keys
from pipeline.stages.sample import Sample, read_sample
from tests.pipeline.firewall.corpus import BAD, GOOD, Corpus, Run, turn

words = st.sampled_from(
    ["Yes.", " yes. ", "Ｙｅｓ.", "Yes. ", "No.", "", " ", "Yes.\n\nNo.", "Yes. No.", "é", "é"]
)
calls = st.lists(st.tuples(st.just("f"), st.sampled_from(["{}", "{ }", "Yes."])), max_size=2)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    turns = []
    for role in draw(st.lists(st.sampled_from(["user", "assistant", "tool"]), max_size=4)):
        asked = draw(calls) if role == "assistant" else []
        turns.append(turn(role, draw(words | st.none()), asked or None))
    return turns


answers = st.tuples(
    words | st.none(), conversations() | st.none(), st.sampled_from(["Why?", "why?", " Why? ", ""])
)


def conflict(good: Run, bad: Run) -> bool:
    """The guard's rule: the same answer to the same task or instruction."""
    mine, its = good.evidence(), bad.evidence()
    if text_keys.response_key(mine) is None or text_keys.response_key(mine) != text_keys.response_key(its):
        return False
    asked = text_keys.instruction_key(mine)
    same_instruction = asked is not None and asked == text_keys.instruction_key(its)
    return same_instruction or mine["task_id"] == its["task_id"]


@settings(max_examples=250, deadline=None)
@given(mine=answers, its=answers, task=st.sampled_from(["t1", "t2"]))
def test_the_firewall_finds_exactly_what_the_guard_refuses(
    tmp_path_factory: pytest.TempPathFactory, mine: Any, its: Any, task: str
) -> None:
    good = Run("good", GOOD, mine[0], messages=mine[1], instruction=mine[2])
    bad = Run("bad", BAD, its[0], messages=its[1], instruction=its[2], task=task)
    sample = read_sample(good.evidence())
    if not isinstance(sample, Sample):
        return  # there is no such row
    root: Path = tmp_path_factory.mktemp("workspace")
    corpus = Corpus(root)
    corpus.runs(good, bad)
    corpus.export(
        good.row(instruction=sample.instruction or "", response=sample.response, messages=sample.messages)
    )
    report = scan(Places.of(root, None, (), ()))
    # A first user turn after the last answer is cut from the row: only the guard still knows it.
    is_asked = text_keys.instruction_key(good.evidence()) is None or (sample.instruction or "").strip()
    if is_asked or report.state is State.BREACH:
        assert report.state is (State.BREACH if conflict(good, bad) else State.CLEAR)
    assert set(report.findings.by_wall) <= {"content"}
