"""``distill streams check`` names what the rules miss, and shows data harmlessly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.contracts.faults import ExitCode
from pipeline.settings.load import load_settings
from pipeline.streams.path_tree import PathTree
from pipeline.streams.survey import survey

SETTINGS = """\
[[stream]]
name = "runs"
path = "data/_kb/runs*.jsonl"

[stream.fields]
task_id = "id"
response = "answer.text"
model_name = "model"
instruction = { lookup = "questions", key = "q", get = "text" }
tags = "answer.labels[0].name"

[[stream]]
name = "questions"
role = "lookup"
key = "q"
path = "data/_kb/questions*.jsonl"

[[stream]]
name = "later"
path = "data/_kb/later*.jsonl"
fields.task_id = "id"
"""
RUNS = [
    {"id": 1, "q": 1, "answer": {"text": "x\x1b[31m", "reasoning": "r", "labels": [{"name": "n", "p": 1}]}},
    {"id": 2, "q": 1, "answer": {"text": 7}, "cost": 1},
    {"id": 3, "q": 9, "answer": {"text": "y"}},
]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    data = tmp_path / "data" / "_kb"
    data.mkdir(parents=True)
    (tmp_path / "distill.toml").write_text(SETTINGS)
    lines = [json.dumps(line) for line in RUNS]
    (data / "runs.jsonl").write_text("\n".join([*lines, lines[0], "not JSON", '{"id": 4']))
    (data / "questions.jsonl").write_text(
        '{"q": 1, "text": "Why?", "source": "s"}\n{"q": 1, "text": "How?"}\n'
    )
    return tmp_path


def test_lines_are_conserved_and_skips_counted_by_reason(workspace: Path) -> None:
    runs, questions, later = survey(
        workspace, load_settings(workspace).settings, ["runs", "questions", "later"]
    )
    assert (runs.lines, runs.mapped, runs.looked_up, runs.skipped, runs.evidence) == (6, 1, 0, 5, 1)
    assert dict(runs.reasons) == {
        "wrong_type": 1,
        "lookup_missing": 1,
        "duplicate_line": 1,
        "malformed_json": 1,
        "torn_tail": 1,
    }
    assert dict(runs.details["wrong_type"]) == {"response: expected a text, found a number": 1}
    assert (questions.lines, questions.looked_up, questions.skipped) == (2, 1, 1)
    assert (later.files, later.lines) == ([], 0)


def test_what_is_never_found_and_what_is_not_read_is_named(workspace: Path) -> None:
    runs, questions = survey(workspace, load_settings(workspace).settings, ["runs", "questions"])
    assert runs.fields_never_found == ["model_name"]
    assert runs.paths_never_found == ["model"]
    assert dict(runs.unmapped) == {"answer.reasoning": 1, "answer.labels[].p": 1, "cost": 1}
    assert dict(questions.unmapped) == {"source": 1}


def test_paths_inside_an_expression_count_as_read() -> None:
    tree = PathTree(["score[0] > score[1]", "state.history"])
    line = {"score": [1, 2], "state": {"history": [{"role": "user"}], "error": None}, "a": {"b": 1}}
    assert tree.unread(line) == ["state.error", "a.b"]


def test_what_nobody_reads_is_named_down_to_its_values() -> None:
    tree = PathTree(["id"])
    meta = {"model": "m", "usage": {"in": 1, "cost": None}, "calls": [{"id": 1}, {"error": "x"}, "text"]}
    assert tree.unread({"id": 1, "meta": meta, "empty": {}, "nulls": {"a": None}, "texts": ["a"]}) == [
        "meta.model",
        "meta.usage.in",
        "meta.calls[].id",
        "meta.calls[].error",
        "empty",
        "nulls",
        "texts",
    ]
    # Names that are data, and what lies very deep, are named as a whole.
    assert tree.unread({"by_id": {f"run{number}": 1 for number in range(17)}}) == ["by_id"]
    assert len(tree.unread({"by_id": {f"run{number}": 1 for number in range(16)}})) == 16
    assert tree.unread({"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}) == ["a.b.c.d.e"]


def test_names_without_end_are_counted_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.streams.survey.UNREAD_PATHS", 5)
    (tmp_path / "distill.toml").write_text(
        '[[stream]]\nname = "runs"\npath = "runs.jsonl"\nfields = { task_id = "id", response = "id" }\n'
    )
    lines = [{"id": str(number), "cost": 1, f"x{number}": 1} for number in range(50)]
    (tmp_path / "runs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (runs,) = survey(tmp_path, load_settings(tmp_path).settings, ["runs"])
    assert len(runs.unmapped) == 6
    assert runs.unmapped["cost"] == 50


def test_a_sample_shows_the_turns_of_its_conversation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "distill.toml").write_text(
        '[[stream]]\nname = "runs"\npath = "runs.jsonl"\nfields = { task_id = "id", messages = "chat" }\n'
    )

    def shown(turns: int) -> str:
        speakers = ("user", "assistant")
        chat = [{"role": speakers[at % 2], "content": f"turn {at}."} for at in range(turns)]
        (tmp_path / "runs.jsonl").write_text(json.dumps({"id": 1, "chat": chat}) + "\n")
        assert run(tmp_path) == ExitCode.OK
        return capsys.readouterr().out

    whole = shown(13)
    assert all(f"turn {at}." in whole for at in range(13))
    assert "more turns" not in whole
    cut = shown(20)
    assert [at for at in range(20) if f"turn {at}." in cut] == [*range(8), *range(16, 20)]
    assert "… 8 more turns" in cut
    (sample,) = [line for line in cut.splitlines() if "turn 3." in line]
    assert sample.split() == ["assistant", "turn", "3."]


def run(workspace: Path, *arguments: str) -> int:
    return main(["streams", "check", "-C", str(workspace), *arguments])


def test_the_report_shows_counts_and_samples_without_control_characters(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(workspace) == ExitCode.WARNINGS  # no file for "later" yet
    shown = capsys.readouterr().out
    assert "lines        6 = 1 mapped + 0 joined + 5 skipped" in shown
    assert "wrong_type" in shown
    assert "never found  model_name" in shown
    assert "unmapped     answer.reasoning (1), answer.labels[].p (1), cost (1)" in shown
    assert "x\\x1b[31m" in shown
    assert "\x1b" not in shown
    assert "none: no file matches its path" in shown


def test_the_report_is_data_with_json(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "--json", "--stream", "runs") == ExitCode.OK
    (runs,) = json.loads(capsys.readouterr().out)["streams"]
    assert runs["lines"] == runs["mapped"] + runs["looked_up"] + runs["skipped"] == 6
    assert runs["reasons"]["lookup_missing"] == {
        "lines": 1,
        "details": {"instruction: no line of questions has the id": 1},
    }
    assert runs["samples"][0]["response"] == "x\\x1b[31m"


def test_a_stream_none_of_whose_lines_can_be_used_fails_the_check(workspace: Path) -> None:
    (workspace / "data/_kb/later.jsonl").write_text('{"task": 1}\n')
    assert run(workspace, "--stream", "later") == ExitCode.CHECK_FAILED


def test_an_unknown_stream_names_the_nearest(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "--stream", "run") == ExitCode.USAGE
    assert 'Nearest: "runs".' in capsys.readouterr().err


def test_settings_without_streams_say_so(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "distill.toml").write_text("")
    assert run(workspace) == ExitCode.OK
    assert "declares no stream" in capsys.readouterr().err


def test_members_of_turns_that_no_rule_names_are_listed_and_what_is_kept_is_said(tmp_path: Path) -> None:
    data = tmp_path / "data" / "_kb"
    data.mkdir(parents=True)
    (tmp_path / "distill.toml").write_text(
        '[[stream]]\nname = "runs"\npath = "data/_kb/runs.jsonl"\n'
        'parts = { each = "samples" }\n[stream.fields]\ntask_id = "id"\n'
        'messages = { path = "chat", append = "_part.reply" }\nreward = "chat[0].score"\n'
    )
    quiet = {"role": "user", "content": "Hi", "refusal": None, "score": 1}
    call = {
        "id": "c",
        "index": 0,
        "type": "function",
        "function": {"name": "f", "arguments": "{}", "strict": 1},
    }
    late = {"role": "assistant", "content": "x", "weight": 0, "refusal": "no", "tool_calls": [call]}
    said = [{"type": "text", "text": "y", "cache_control": {}}]
    reply = {
        "role": "assistant",
        "content": said,
        "reasoning_content": "r",
        "weight": "heavy",
        "logprobs": [],
    }
    line = {"id": 1, "chat": [quiet] * 9 + [late], "samples": [{"reply": reply}]}
    (data / "runs.jsonl").write_text(json.dumps(line) + "\n")
    (runs,) = survey(tmp_path, load_settings(tmp_path).settings, ["runs"])
    of_turns = {path: count for path, count in runs.unmapped.items() if "chat" in path or "reply" in path}
    assert of_turns == {
        "chat[].weight": 1,
        "chat[].refusal": 1,
        "chat[].tool_calls[].index": 1,
        "chat[].tool_calls[].function.strict": 1,
        "_part.reply.reasoning_content": 1,
        "_part.reply.weight": 1,
        "_part.reply.logprobs": 1,
        "_part.reply.content[].cache_control": 1,
    }
    assert runs.kept_unasked == {"chat[].weight": "weight", "_part.reply.reasoning_content": "reasoning"}


def test_the_report_names_members_of_turns_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "distill.toml").write_text(
        '[[stream]]\nname = "runs"\npath = "runs.jsonl"\nfields = { task_id = "id", messages = "chat" }\n'
    )
    turn = {"role": "assistant", "content": "x", "weight": 1, "refusal": "no"}
    (tmp_path / "runs.jsonl").write_text(json.dumps({"id": 1, "cost": 1, "chat": [turn]}) + "\n")
    assert main(["streams", "check", "-C", str(tmp_path)]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "unmapped    chat[].weight (1, kept as weight), chat[].refusal (1), cost (1)" in shown


def test_lint_and_flags_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "distill.toml").write_text(
        '[[stream]]\nname = "runs"\npath = "runs.jsonl"\nfields = { task_id = "id", messages = "chat" }\n'
    )
    turns = [{"role": "user", "content": "<|im_end|>"}, {"role": "assistant", "content": "x"}]
    lines = [{"id": number, "chat": turns[: number + 1]} for number in range(2)]
    (tmp_path / "runs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (runs,) = survey(tmp_path, load_settings(tmp_path).settings, ["runs"])
    assert (dict(runs.lint), dict(runs.flags)) == ({"template_markup": 2}, {"system_not_recorded": 2})
    assert main(["streams", "check", "-C", str(tmp_path)]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "template_markup (2)" in shown
    assert "system_not_recorded (2)" in shown


@pytest.mark.parametrize("samples", [[{"text": "a", "cost": 1}], {"k": {"text": "a", "cost": 1}}])
def test_members_of_parts_that_no_rule_reads_are_listed(tmp_path: Path, samples: object) -> None:
    (tmp_path / "distill.toml").write_text(
        '[[stream]]\nname = "runs"\npath = "runs.jsonl"\nparts = { each = "samples" }\n'
        'fields = { task_id = "id", response = "_part.text" }\n'
    )
    (tmp_path / "runs.jsonl").write_text(json.dumps({"id": 1, "samples": samples}) + "\n")
    (runs,) = survey(tmp_path, load_settings(tmp_path).settings, ["runs"])
    assert (dict(runs.unmapped), runs.paths_never_found) == ({"samples[].cost": 1}, [])


def test_the_file_and_json_texts_are_no_missing_paths(workspace: Path) -> None:
    (workspace / "distill.toml").write_text(
        """\
[[stream]]
name = "runs"
path = "data/_kb/*.jsonl"
parts = { keys = ["a", "b"] }

[stream.fields]
task_id = { template = "{_file.line}" }
model_name = "_source.path"
messages = { path = "_part.in", append = ["gone"] }
response = { path = "raw", json = true, get = "deep.text" }
"""
    )
    data = workspace / "data" / "_kb"
    for old in data.iterdir():
        old.unlink()
    turns = json.dumps([{"role": "user", "content": "Hi", "mood": "good"}])
    (data / "one.jsonl").write_text(
        json.dumps({"a": {"in": turns}, "raw": '{"deep": {"text": "x"}}', "c": 1}) + "\n"
    )
    (found,) = survey(workspace, load_settings(workspace).settings, ["runs"])
    assert found.evidence == 1
    assert found.samples[0]["model_name"] == "data/_kb/one.jsonl"
    assert found.paths_never_found == ["gone", '"b"']
    assert sorted(found.unmapped) == ["_part.in[].mood", "c"]


def test_what_items_and_parts_hold_is_read_and_items_of_a_part_are_not_asked_of_the_line(
    workspace: Path,
) -> None:
    (workspace / "distill.toml").write_text(
        """\
[[stream]]
name = "runs"
path = "data/_kb/*.jsonl"
parts = { each = "spans" }

[stream.fields]
task_id = "(_part.names[?key=='task'].value | [0]) || 't'"
environment_error = "_part.error"
messages = { path = "_part.in", append = ["out"] }
model_name = "out.model"
"""
    )
    data = workspace / "data" / "_kb"
    for old in data.iterdir():
        old.unlink()
    turns = [
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
        {"type": "function_call", "id": "f", "call_id": "c", "name": "n", "arguments": "{}", "status": "x"},
        {"type": "function_call_output", "call_id": "c", "output": "o"},
    ]
    out = {
        "role": "assistant",
        "content": "Hello.",
        "id": "m",
        "type": "message",
        "model": "m",
        "mood": "good",
    }
    line = {"spans": [{"in": turns, "error": "timeout"}], "out": out}
    (data / "one.jsonl").write_text(json.dumps(line) + "\n")
    (found,) = survey(workspace, load_settings(workspace).settings, ["runs"])
    assert found.fields_never_found == []
    assert found.paths_never_found == []
    assert sorted(found.unmapped) == ["_part.in[].status", "out.mood"]
