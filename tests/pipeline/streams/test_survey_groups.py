"""``distill streams check`` of streams that are not read line by line, and of those that should not be."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.settings.load import load_settings
from pipeline.streams.survey import survey
from pipeline.streams.surveyed import StreamSurvey

HEAD = '[[stream]]\nname = "s"\npath = "data/*"\n'
FIELDS = '[stream.fields]\ntask_id = "session"\nmessages = "[message]"\nreward = "score"\n'
BY = 'group = { by = "session" }\n'


def turn(session: str, role: str, **more: Any) -> dict[str, Any]:
    return {"session": session, "message": {"role": role, "content": f"{role} of {session}"}, **more}


LINES = [turn("a", "user"), turn("b", "user"), turn("a", "assistant", cost=1), turn("b", "assistant")]


def surveyed(folder: Path, settings: str, files: dict[str, bytes]) -> StreamSurvey:
    (folder / "data").mkdir()
    (folder / "distill.toml").write_text(settings)
    for name, data in files.items():
        (folder / "data" / name).write_bytes(data)
    (found,) = survey(folder, load_settings(folder).settings, ["s"])
    assert found.lines == found.mapped + found.looked_up + found.skipped
    return found


def encoded(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_groups_are_counted_by_their_lines(tmp_path: Path) -> None:
    found = surveyed(
        tmp_path,
        HEAD + BY + FIELDS,
        {"1.jsonl": encoded(LINES[:3]) + b"{\n", "2.jsonl.gz": gzip.compress(encoded(LINES[3:]))},
    )
    assert (found.lines, found.mapped, found.evidence) == (5, 4, 2)
    assert found.reasons == {"malformed_json": 1}
    assert [(file.lines, file.used) for file in found.of_files] == [(4, 3), (1, 1)]
    assert [len(row["messages"]) for row in found.samples] == [2, 2]
    assert found.fields_never_found == ["reward"]
    assert found.paths_never_found == ["score"]
    assert found.unmapped == {"cost": 1}
    assert not found.are_fragments


def test_lines_of_sessions_that_nothing_joins_are_fragments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert surveyed(tmp_path, HEAD + FIELDS, {"1.jsonl": encoded(LINES)}).are_fragments
    main(["streams", "check", "-C", str(tmp_path)])
    said = capsys.readouterr().out
    assert 'each row is one turn, of 2 tasks in all; lines are joined with group = { by = "session" }' in said


@pytest.mark.parametrize(
    "lines",
    [
        [turn("a", "assistant"), turn("a", "assistant", n=2)],  # attempts of one task
        [turn("a", "user"), turn("b", "assistant")],
        [{"session": "a"}],
    ],
)
def test_other_single_turns_are_none(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    assert not surveyed(tmp_path, HEAD + FIELDS, {"1.jsonl": encoded(lines)}).are_fragments


def test_what_a_whole_json_file_is_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = surveyed(
        tmp_path,
        HEAD + FIELDS,
        {
            "array": json.dumps(LINES[:2]).encode(),
            "object": json.dumps(LINES[2], indent=1).encode(),
            "half": b'[\n{"session": "c"},\n{"session": "d"}\n',
            "lines": encoded(LINES[3:]),
        },
    )
    assert (found.mapped, found.reasons) == (4, {"torn_tail": 1})
    main(["streams", "check", "-C", str(tmp_path)])
    shown = capsys.readouterr().out.split("what it is")[1].splitlines()
    assert [line.split()[0] for line in shown if line.strip()] == ["data/half", "data/array", "data/object"]
    assert "a JSON array, read by its items" in shown[2]
    assert "indented JSON, read by its items" in shown[3]


SESSION = '[stream.fields]\ntask_id = "session_id"\nmessages = "[message]"\n'
TURNS = [
    {"session_id": name, "message": {"role": role, "content": role}}
    for name, role in (("a", "user"), ("b", "user"), ("a", "assistant"), ("b", "assistant"))
]


@pytest.mark.parametrize(
    ("settings", "rows"),
    [
        (SESSION, 2),
        ('unit = "line"\n' + SESSION, 4),  # written out, it means what it says
        (SESSION.replace("[message]", "[message, message]"), 4),  # more than one turn a line
        (SESSION.replace('"session_id"', '{ path = "session_id", default = "x" }'), 4),
        ('parts = { each = "message", optional = true }\n' + SESSION, 8),
    ],
)
def test_turns_of_a_task_that_is_a_session_are_joined(tmp_path: Path, settings: str, rows: int) -> None:
    found = surveyed(tmp_path, HEAD + settings, {"1.jsonl": encoded(TURNS)})
    assert found.evidence == rows
    assert found.joined_by == ("session_id" if rows == 2 else "")
