"""What a playbook says, and what never becomes one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from pipeline.schemas.rag import RagSample
from pipeline.schemas.validators import validate_rag
from pipeline.settings.model import ExportSettings, RagSettings
from pipeline.stages.export_rag import RAG_NEVER, TITLE_CHARACTERS, rag_row, title_of
from pipeline.stages.refusals import Refusal
from pipeline.stages.sample import read_sample
from pipeline.stages.sample_keys import rag_sample_key
from tests.pipeline.stages.builders import OPTIONS, conversation, evidence, scored, turn


def made(row: dict[str, Any], category: str = "accepted") -> dict[str, Any]:
    result = rag_row(row, scored(row, category), OPTIONS)
    assert not isinstance(result, Refusal), result
    validate_rag(result)
    return result


def refused(row: dict[str, Any], category: str = "accepted", options: ExportSettings = OPTIONS) -> str:
    result = rag_row(row, scored(row, category), options)
    assert isinstance(result, Refusal)
    return result.reason.value


def test_a_flat_run_becomes_task_given_and_answer() -> None:
    row = made(evidence(context="FILE holds text.", tags=["shell", "word count", " "], reward=1.0))
    assert row["content"] == (
        "# Task\n\nCount the lines of a file.\n\n# Given\n\nFILE holds text.\n\n# What worked\n\nwc -l FILE"
    )
    assert (row["title"], row["embedding_text"]) == ("Count the lines of a file.",) * 2
    assert (row["tags"], row["success_score"], row["score"]) == ("shell word-count", 1.0, 1.0)
    assert list(row) == [name for name in RagSample.model_fields if name != "recorded_at"]


def test_a_conversation_becomes_the_steps_that_the_assistant_took() -> None:
    assert made(conversation(), "partially_accepted")["content"] == (
        "# Task\n\nBook a seat.\n\n# What partly worked\n\n"
        '## Step 1\n\n`book` {"seat": "4A", "meal": null}\n\n## Step 2\n\nSeat 4A is yours.'
    )


def test_the_mapped_instruction_names_the_task_of_a_conversation() -> None:
    row = made(conversation() | {"instruction": "Book seat 4A."})
    assert row["title"] == "Book seat 4A."


def test_what_the_model_never_saw_is_not_exported() -> None:
    row = made(conversation(goal="wants a window seat"))
    assert "window" not in orjson.dumps(row).decode()


@pytest.mark.parametrize("category", sorted(RAG_NEVER))
def test_a_category_of_the_never_list_is_refused(category: str) -> None:
    assert frozenset({"rejected", "needs_human_review"}) == RAG_NEVER
    assert refused(evidence(), category) == "category_not_allowed"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (evidence(response=None), "response_not_recorded"),
        (evidence(response=""), "response_empty"),
        (evidence(instruction=""), "instruction_missing"),
        (conversation() | {"instruction": "AKIA" + "IOSFODNN7EXAMPLE"}, "secret_found"),
        (
            conversation(1, turn("user", "Go"), turn("assistant", "Ok"))
            | {"context": "AKIA" + "IOSFODNN7EXAMPLE"},
            "secret_found",
        ),
    ],
)
def test_each_refusal_has_its_reason(row: dict[str, Any], reason: str) -> None:
    assert refused(row) == reason


def test_a_playbook_over_the_limit_is_refused_and_never_cut() -> None:
    tokens = made(evidence())["estimated_tokens"]
    assert refused(evidence(), options=ExportSettings(rag=RagSettings(max_tokens=tokens - 1))) == "too_long"


@pytest.mark.parametrize(
    ("task", "title"),
    [
        ("  Two\n words ", "Two words"),
        ("word " * 40, "word " * 18 + "word…"),
        ("x" * 300, "x" * (TITLE_CHARACTERS - 1) + "…"),
    ],
)
def test_a_title_is_one_line_cut_at_a_word(task: str, title: str) -> None:
    assert title_of(task) == title
    assert len(title) <= TITLE_CHARACTERS


def test_the_same_playbook_has_one_key_whether_it_worked_fully_or_partly() -> None:
    def key(row: dict[str, Any]) -> bytes:
        sample = read_sample(row)
        assert not isinstance(sample, Refusal)
        return rag_sample_key(sample)

    assert key(evidence(1, reward=1.0)) == key(evidence(2, reward=0.5, model_name="model-b"))
    assert key(evidence(1)) != key(evidence(1, instruction="Count the words of a file."))
    assert key(evidence(1)) != key(evidence(1, context="FILE"))
    assert key(conversation()) != key(conversation() | {"instruction": "Book seat 4A."})
