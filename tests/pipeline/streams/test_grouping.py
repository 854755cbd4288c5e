"""How a group looks to rules, which lines belong to it, and the way through a session."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.contracts.faults import SettingsError
from pipeline.contracts.skips import LineFault
from pipeline.settings.digest import stream_digest
from pipeline.settings.model import StreamSettings
from pipeline.streams import records
from pipeline.streams.compiled import compile_stream
from pipeline.streams.walks import WALKS, claude_code
from tests.pipeline.streams.sources import group_outcomes, settings_of, stream

Line = dict[str, Any]


def rows_of(declared: StreamSettings, *files: list[Line]) -> list[Any]:
    """The outcome of each record: its rows, or the reason of its skip."""
    named = {f"f{number}": lines for number, lines in enumerate(files)}
    outcomes = group_outcomes(compile_stream(declared, {}), named)
    return [str(found.reason) if isinstance(found, LineFault) else found for found in outcomes]


def grouped(**section: Any) -> StreamSettings:
    return stream(**{"group": {"by": "s"}, "fields": {"task_id": "_group"}, **section})


def test_names_are_those_of_the_first_line_that_has_them_and_lines_stand_in_order() -> None:
    fields = {
        "task_id": {"template": "{_group}/{cwd}"},
        "response": {"join": "_lines[].n"},
        "verdict": "_lines[-1].ok",
        "model_name": {"path": "_file.path"},
        "tags": "_lines[1]._file.line",
    }
    fields["tags"] = {"template": "line:{_lines[1]._file.line}"}
    (rows,) = rows_of(
        grouped(fields=fields),
        [{"s": 7, "n": "a", "cwd": None}, {"s": 7, "n": "b", "cwd": "/x"}],
        [{"s": 7, "n": "c", "cwd": "/y", "ok": False}],
    )
    (row,) = rows
    assert row["task_id"] == "7//x"
    assert row["response"] == "a\nb\nc"
    assert (row["verdict"], row["model_name"], row["tags"]) == ("fail", "f0", ["line:2"])


def test_a_number_and_its_text_are_one_key_and_a_list_is_none() -> None:
    first, wrong, missing = rows_of(grouped(), [{"s": 1}, {"s": "1"}, {"s": [1]}, {"x": 1}])
    assert [row["task_id"] for row in first] == ["1"]
    assert first[0]["provenance"]["ranges"][0]["lines"] == 2
    assert (wrong, missing) == ("wrong_type", "missing_field")


def test_where_is_asked_of_each_line() -> None:
    filtered, rows = rows_of(
        grouped(where={"path": "kind", "not_equals": "event"}, fields={"task_id": "s", "messages": "[m]"}),
        [
            {"s": "a", "kind": "event", "m": {"role": "user", "content": "twice"}},
            {"s": "a", "kind": "item", "m": {"role": "user", "content": "once"}},
            {"s": "a", "kind": "note"},
        ],
    )
    assert filtered == "filtered_out"
    assert [message["content"] for message in rows[0]["messages"]] == ["once"]


def test_parts_are_made_of_a_group() -> None:
    ((first, second),) = rows_of(
        grouped(parts={"each": "_lines"}, fields={"task_id": "_group", "response": "_part.text"}),
        [{"s": "a", "text": "x"}, {"s": "a", "text": "y"}],
    )
    assert (first["response"], second["response"]) == ("x", "y")
    assert first["run_id"] != second["run_id"]


def test_a_group_beyond_the_limit_is_oversize_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_GROUP_BYTES", 40)
    large, rows = rows_of(grouped(), [{"s": "a", "text": "x" * 20}, {"s": "b"}, {"s": "a", "text": "y" * 20}])
    assert large == "oversize"
    assert rows[0]["task_id"] == "b"


def test_the_id_follows_from_stream_key_and_part_alone() -> None:
    short: list[Line] = [{"s": "a"}]
    longer: list[Line] = [*short, {"s": "a", "more": 1}]
    ids = [rows_of(grouped(), lines)[0][0]["run_id"] for lines in (short, longer)]
    assert ids[0] == ids[1]
    (of_line,) = rows_of(grouped(name="other"), [{"s": "a"}])[0]
    assert of_line["run_id"].split("/")[1] != ids[0].split("/")[1]


def test_times_are_sorted_as_texts_with_their_fractions() -> None:
    times = ["2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"]
    fields = {"task_id": "s", "response": {"join": "_lines[].at"}}
    (rows,) = rows_of(
        grouped(group={"by": "s", "order": "at"}, fields=fields), [{"s": 1, "at": at} for at in times]
    )
    assert rows[0]["response"].split("\n") == [times[1], times[0], times[2]]


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ({"group": {"order": "at"}}, "needs by"),
        ({"group": {"by": "s", "walk": "claude_code", "order": "at"}}, "two orders"),
        ({"group": {"by": "s"}, "unit": "file"}, "has no by"),
    ],
)
def test_a_group_that_cannot_be_is_refused(section: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        compile_stream(stream(fields={"task_id": "s"}, **section), {})


def test_a_stream_without_groups_keeps_its_digest() -> None:
    plain = stream(fields={"task_id": "id"})
    said = stream(fields={"task_id": "id"}, unit="line")
    other = stream(fields={"task_id": "id"}, unit="file")
    digests = [stream_digest(settings_of(each), each) for each in (plain, said, other)]
    assert digests[0] == digests[1] != digests[2]


# --- the way through a session -------------------------------------------------------------------


def said(uuid: str, parent: str | None, role: str, content: Any, **more: Any) -> Line:
    message = {
        "role": role,
        "content": content,
        **({"id": more.pop("message_id")} if "message_id" in more else {}),
    }
    return {"type": role, "uuid": uuid, "parentUuid": parent, "message": message, **more}


def names(lines: list[Line]) -> list[str]:
    return [line["uuid"] for line in lines]


def call(name: str) -> Line:
    return {"type": "tool_use", "id": name, "name": "run", "input": {}}


def result(name: str) -> Line:
    return {"type": "tool_result", "tool_use_id": name, "content": "ok"}


def test_blocks_of_one_message_are_one_turn_and_results_of_parallel_calls_stay() -> None:
    way = claude_code(
        [
            said("u1", None, "user", "Go."),
            said("a1", "u1", "assistant", [{"type": "thinking", "thinking": "Hm."}], message_id="m"),
            said("a2", "a1", "assistant", [call("c1")], message_id="m"),
            said("r1", "a2", "user", [result("c1")]),
            said("a3", "a2", "assistant", [call("c2")], message_id="m", usage=5),
            said("r2", "a3", "user", [result("c2")]),
            said("a4", "r2", "assistant", [{"type": "text", "text": "Done."}], message_id="n"),
        ]
    )
    assert names(way.lines) == ["u1", "a1", "r1", "r2", "a4"]
    assert [part["type"] for part in way.lines[1]["message"]["content"]] == [
        "thinking",
        "tool_use",
        "tool_use",
    ]
    assert way.segments == [way.lines]


def test_the_way_is_the_one_that_leads_to_the_last_line() -> None:
    way = claude_code(
        [
            said("u1", None, "user", "Go."),
            said("a1", "u1", "assistant", "Left."),
            said("u2", "a1", "user", "No."),
            said("u3", "a1", "user", "Rather right."),
            said("a2", "u3", "assistant", "Right."),
            {"type": "summary", "summary": "A session"},
        ]
    )
    assert names(way.lines) == ["u1", "a1", "u3", "a2"]


def test_sub_agents_stand_apart() -> None:
    way = claude_code(
        [
            said("u1", None, "user", "Go."),
            said("s1", None, "user", "Look.", isSidechain=True),
            said("s2", "s1", "assistant", "Looked.", isSidechain=True),
            said("t1", None, "user", "Also.", isSidechain=True, agentId="t"),
            said("a1", "u1", "assistant", "Done."),
            said("t2", "t1", "assistant", "Too.", isSidechain=True, agentId="t"),
        ]
    )
    assert names(way.lines) == ["u1", "a1"]
    assert [names(chain) for chain in way.sidechains] == [["s1", "s2"], ["t1", "t2"]]


@pytest.mark.parametrize("logical", ["a1", None, "unknown"])
def test_after_a_compaction_the_model_had_its_summary_and_what_follows(logical: str | None) -> None:
    boundary = {"type": "system", "subtype": "compact_boundary", "uuid": "b", "parentUuid": None}
    way = claude_code(
        [
            said("u1", None, "user", "Go."),
            said("a1", "u1", "assistant", "Half."),
            {**boundary, "logicalParentUuid": logical} if logical else boundary,
            said("c", "b", "user", "Summary.", isCompactSummary=True),
            said("a2", "c", "assistant", "Done."),
        ]
    )
    assert [names(segment) for segment in way.segments] == [["u1", "a1"], ["b", "c", "a2"]]
    assert way.lines == way.segments[-1]


def test_a_line_whose_parent_is_not_there_follows_the_line_before_it() -> None:
    way = claude_code([said("u1", None, "user", "Go."), said("a1", "gone", "assistant", "Done.")])
    assert names(way.lines) == ["u1", "a1"]


def test_a_circle_of_parents_ends() -> None:
    way = claude_code([said("u1", "a1", "user", "Go."), said("a1", "u1", "assistant", "Done.")])
    assert sorted(names(way.lines)) == ["a1", "u1"]


def test_a_session_without_names_is_taken_as_it_was_logged() -> None:
    lines = [{"type": "user", "message": {}}, {"type": "assistant", "message": {}}]
    assert claude_code(lines).lines == lines


def test_a_line_without_a_name_among_others_is_no_turn() -> None:
    way = claude_code([{"type": "summary"}, said("u1", None, "user", "Go.", isSidechain=True)])
    assert (way.lines, way.segments) == ([], [[]])
    assert names(way.sidechains[0]) == ["u1"]


def test_a_session_becomes_a_conversation() -> None:
    (rows,) = rows_of(
        grouped(
            group={"by": "sessionId", "walk": "claude_code"},
            where={"path": "sessionId", "exists": True},
            fields={
                "task_id": "sessionId",
                "messages": "[message]",
                "model_name": "_lines[-1].message.model",
            },
        ),
        [
            said("u1", None, "user", "Go.", sessionId="s"),
            said(
                "a1", "u1", "assistant", [{"type": "text", "text": "I look."}], sessionId="s", message_id="m"
            ),
            said("a2", "a1", "assistant", [call("c1")], sessionId="s", message_id="m"),
            said("r1", "a2", "user", [result("c1")], sessionId="s"),
            said("a3", "r1", "assistant", [{"type": "text", "text": "Done."}], sessionId="s", message_id="n"),
        ],
    )
    assert [message["role"] for message in rows[0]["messages"]] == ["user", "assistant", "tool", "assistant"]
    assert rows[0]["messages"][1]["tool_calls"][0]["name"] == "run"


def test_a_compacted_session_of_codex_is_what_the_model_had_last() -> None:
    def item(text: str) -> dict[str, Any]:
        return {"type": "response_item", "payload": {"text": text}}

    meta = {"type": "session_meta", "payload": {"id": "s"}}
    bare: dict[str, Any] = {"type": "compacted", "payload": {"message": "m"}}
    replaced = {"type": "compacted", "payload": {"replacement_history": [{"text": "sum"}]}}

    def texts(lines: list[dict[str, Any]]) -> list[str]:
        return [line["payload"]["text"] for line in lines if line["type"] == "response_item"]

    lines = [meta, item("a"), bare, item("b"), replaced, item("c"), replaced, item("d")]
    found = WALKS["codex"](lines)
    assert texts(found.lines) == ["sum", "d"]
    assert found.lines[0] is meta
    assert [texts(each) for each in found.segments] == [["a", "b"], ["sum", "c"], ["sum", "d"]]
    assert WALKS["codex"](lines[:4]).lines == lines[:4]
    emptied = {"type": "compacted", "payload": {"replacement_history": []}}
    assert texts(WALKS["codex"]([meta, item("a"), emptied]).lines) == []
