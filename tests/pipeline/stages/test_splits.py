"""One question is on one side, whatever stream, task, model or system prompt it came with."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.settings.model import ExportSettings
from pipeline.stages.export_sft import sft_row
from pipeline.stages.refusals import Refusal
from pipeline.stages.sample import Sample, read_sample
from pipeline.stages.splits import question_of_row, side_of
from tests.pipeline.stages.builders import evidence, scored, turn

BY_PROMPT = ExportSettings(validation_share=0.5)
BY_TASK = ExportSettings(validation_share=0.5, split_by="task")


def question(run: dict[str, Any]) -> bytes:
    sample = read_sample(run)
    assert isinstance(sample, Sample)
    return sample.question


def talk(*turns: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return evidence(messages=[*turns, turn("assistant", "42")], **fields)


ASKED = "How many lines has the file?"
FLAT = evidence(instruction=ASKED)
SYSTEM = turn("system", "You are helpful. Today is Monday.")

SAME = [
    evidence(instruction=ASKED, stream="other", task_id="elsewhere", model_name="b", response="43"),
    evidence(instruction=f"  {ASKED.replace(' ', '  ')}\n"),
    evidence(instruction=ASKED.replace("l", "\uff4c").upper()),
    talk(turn("user", ASKED)),
    talk(SYSTEM, turn("user", ASKED)),
    talk(turn("system", "Today is Tuesday."), turn("user", ASKED)),
    talk(SYSTEM, turn("user", ASKED), turn("assistant", "One moment."), turn("user", "And?")),
    talk(turn("assistant", "How can I help?"), turn("user", ASKED)),
    talk(turn("assistant", " "), turn("user", ASKED)),
]
OTHER = [
    evidence(instruction="How many words has the file?"),
    evidence(instruction=ASKED, context="FILE has 3 lines."),
    talk(turn("user", "Look at this."), turn("user", ASKED)),
    talk(turn("system", ASKED), turn("user", "Begin.")),
    talk(turn("assistant", ASKED)),
]


@pytest.mark.parametrize("run", SAME, ids=range(len(SAME)))
def test_the_same_question(run: dict[str, Any]) -> None:
    assert question(run) == question(FLAT)


@pytest.mark.parametrize("run", OTHER, ids=range(len(OTHER)))
def test_another_question(run: dict[str, Any]) -> None:
    assert question(run) != question(FLAT)


def test_a_constant_instruction_is_as_many_questions_as_it_has_inputs() -> None:
    inputs = [evidence(instruction="Summarise this.", context=f"Text {number}.") for number in range(400)]
    sides = [side_of("a", "same task", question(run), BY_PROMPT) for run in inputs]
    assert 140 < sides.count("validation") < 260


def test_system_turns_alone_are_the_question_where_nobody_asked() -> None:
    one, two = (talk(turn("system", text)) for text in ("Count.", "Sort."))
    assert question(one) != question(two)
    assert question(one) != b""


@pytest.mark.parametrize("run", [*SAME, *OTHER], ids=range(len(SAME) + len(OTHER)))
def test_a_row_tells_its_question_as_its_run_does(run: dict[str, Any]) -> None:
    judged = run | {"verdict": "pass"}
    row = sft_row(judged, scored(judged), BY_PROMPT)
    if isinstance(row, Refusal):
        assert row.reason == "instruction_missing"
        return
    assert question_of_row(row) == question(run)
    side = side_of(run["stream"], run["task_id"], question(run), BY_PROMPT)
    assert row["split"] == side


def test_by_task_the_attempts_of_a_task_stay_together_whatever_they_were_asked() -> None:
    sides = {side_of("a", "t", question(run), BY_TASK) for run in (*SAME, *OTHER)}
    assert len(sides) == 1
    tasks = [side_of("a", f"t{number}", question(FLAT), BY_TASK) for number in range(400)]
    assert 140 < tasks.count("validation") < 260
    assert len({side_of("a", f"t{number}", question(FLAT), BY_PROMPT) for number in range(400)}) == 1


@pytest.mark.parametrize(("share", "side"), [(0.0, "train"), (0.999999, "validation")])
def test_the_ends_of_the_share(share: float, side: str) -> None:
    options = ExportSettings(validation_share=share)
    assert {side_of("a", "t", question(run), options) for run in (*SAME, *OTHER)} == {side}


def test_a_side_is_pinned_so_that_a_machine_cannot_change_it() -> None:
    assert question(FLAT).hex() == "5cb65458fa5d93555ad13d763a28bfe1"
