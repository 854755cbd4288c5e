"""The gate's own reader agrees with the engine, of which it uses nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.acceptance.written import Written, answers, normal, rows_digest, source_lines
from pipeline.contracts.faults import IntegrityError
from pipeline.stages.text_keys import normalise
from pipeline.storage.digests import measured
from pipeline.storage.source_lines import iter_lines

PIECES = st.sampled_from([b"{}", b"\n", b"\r\n", b"\r", b"\x00", b"", b" ", b"\xef\xbb\xbf", b'{"a": 1}'])


@given(st.lists(PIECES).map(b"".join))
def test_lines_and_offsets_are_those_of_the_engine(data: bytes) -> None:
    theirs = [
        (line.line, line.byte_offset, line.raw)
        for line in iter_lines(data, 0, 1, at_end_of_file=True)
        if not line.torn
    ]
    assert [line for line in source_lines(data) if line[1] + len(line[2]) < len(data)][
        : len(theirs)
    ] == theirs
    assert sum(1 for _ in source_lines(data)) == sum(1 for _ in iter_lines(data, 0, 1, at_end_of_file=True))


@given(st.text())
def test_texts_are_compared_as_the_engine_compares_them(text: str) -> None:
    assert normal(text) == normalise(text)


def test_the_digest_of_rows_leaves_out_when_they_were_recorded(tmp_path: Path) -> None:
    data = b'{"a":1,"recorded_at":"2026-01-01T00:00:00Z"}\n{"a":2,"recorded_at":"2026-01-01T00:00:00Z"}\n'
    path = tmp_path / "rows.jsonl"
    path.write_bytes(data)
    assert rows_digest(data) == measured(path)["rows_digest"]
    assert rows_digest(data) == rows_digest(data.replace(b"2026", b"2027"))
    assert rows_digest(data) != rows_digest(data.replace(b":2,", b":3,"))
    assert rows_digest(b"") == hashlib.sha256().hexdigest()


def test_an_answer_is_what_the_assistant_said_and_called() -> None:
    calls = [{"name": "look", "arguments": "{}", "id": "1"}]
    turns = [
        {"role": "user", "content": "Look.", "tool_calls": None},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "content": "up", "tool_calls": None},
        {"role": "assistant", "content": "It  is\nup.", "tool_calls": None},
    ]
    assert answers({"messages": turns, "response": "x"}) == [("", (("look", "{}"),)), ("It is up.", ())]
    assert answers({"messages": None, "response": " ﬁne "}) == [("fine", ())]


def test_an_output_that_cannot_be_read_is_content_that_is_wrong(tmp_path: Path) -> None:
    for text in ("{broken\n", "[]\n", None):
        path = tmp_path / "rows.jsonl"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        with pytest.raises(IntegrityError, match=r"rows\.jsonl cannot be read"):
            Written(tmp_path).rows("rows.jsonl")


def test_a_workspace_without_a_committed_run_has_no_summary(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="no run committed"):
        _ = Written(tmp_path).summary
