"""A row of evidence is read the same however it is spelled, and one that is something else is not read."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from pipeline.firewall.conversation import text_of
from pipeline.firewall.index_rows import EvidenceRow, read_evidence, read_head, read_scored
from pipeline.firewall.strict_json import UnreadableError
from tests.pipeline.firewall.corpus import BAD, Run, line, turn

TURNS = [turn("user", "What is six times seven?"), turn("assistant", None, [("sum", '{"a": 1}')])]
READ = ("run_id", "task_id", "stream", "model_name", "flags")
TEXTS = ("instruction", "context", "response")


def evidence(**changed: Any) -> dict[str, Any]:
    return {**Run("bad", BAD, "Forty-three.", messages=TURNS).evidence(), "flags": ["late"], **changed}


def spelled_otherwise(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=True, separators=(", ", ": ")).encode() + b"\n"


def told(row: EvidenceRow) -> dict[str, object]:
    texts = {name: text_of(getattr(row, name)) for name in TEXTS}
    turns = [(each.role, text_of(each.content)) for each in row.messages or ()]
    return {**{name: getattr(row, name) for name in READ}, **texts, "messages": turns}


@pytest.mark.parametrize("flags", [[], ["late"], ["late", "grüße"]])
@pytest.mark.parametrize("response", ["Forty-three.", "grüße \u2028 \U0001f600", ""])
def test_another_spelling_of_the_same_row_says_the_same(flags: list[str], response: str) -> None:
    row = evidence(flags=flags, response=response)
    usual, other = read_evidence(line(row)), read_evidence(spelled_otherwise(row))
    assert told(other) == told(usual)
    assert (usual.flags, told(usual)["response"]) == (flags, response)
    assert told(usual)["messages"] == [("user", "What is six times seven?"), ("assistant", None)]


def test_a_row_without_labels_has_none_and_is_not_taken_for_one_with_an_empty_list() -> None:
    row = evidence()
    del row["flags"]
    assert read_evidence(spelled_otherwise(row)).flags is msgspec.UNSET


@pytest.mark.parametrize("flags", ["late", {"late": True}, [1], ["late", None], 3, None])
def test_labels_that_are_none_make_a_row_unreadable(flags: object) -> None:
    for data in (line(evidence(flags=flags)), spelled_otherwise(evidence(flags=flags))):
        with pytest.raises(UnreadableError, match="flags is no list of labels"):
            read_evidence(data)


@pytest.mark.parametrize("data", [b"[]\n", b'"x"\n', b"3\n", b"null\n"])
def test_what_is_no_object_is_no_row(data: bytes) -> None:
    for read in (read_evidence, read_head, read_scored):
        with pytest.raises(UnreadableError, match="not an object"):
            read(data)


@pytest.mark.parametrize("name", ["run_id", "task_id", "stream"])
@pytest.mark.parametrize("value", [None, 3, ["x"]])
def test_a_name_that_is_no_text_makes_a_row_unreadable(name: str, value: object) -> None:
    head = {"run_id": "chat/a", "task_id": "t", "stream": "chat"}
    assert read_head(line(head)).run_id == "chat/a"
    assert read_scored(line({**head, "category": "rejected"})).category == "rejected"
    with pytest.raises(UnreadableError, match=f"{name} is not a text"):
        read_head(line({**head, name: value}))
    with pytest.raises(UnreadableError, match=f"{name} is not a text"):
        read_scored(line({**head, "category": "rejected", name: value}))
