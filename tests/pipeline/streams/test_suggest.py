"""``distill streams suggest`` knows its presets, drafts other logs, and shows only what is valid and maps."""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.contracts.faults import ExitCode
from pipeline.settings.model import Settings, from_document
from pipeline.settings.presets import PRESETS
from pipeline.streams.suggest import Suggestion, suggest
from tests.pipeline.streams.golden import FOLDER

_OFFERED = re.compile(r"^# (?=(?:[a-z_]+ = |\[\[stream\]\]$))", re.MULTILINE)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    (root / "data" / "_kb").mkdir(parents=True)
    (root / "distill.toml").write_text('[workspace]\nname = "w"\n')
    return root


def log(workspace: Path, *lines: dict[str, Any], name: str = "log.jsonl") -> str:
    (workspace / "data" / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return f"data/{name}"


def drafted(workspace: Path, file: str) -> tuple[Suggestion, dict[str, Any]]:
    found = suggest(workspace, Settings(), file)
    return found, tomllib.loads(found.text)["stream"][0]


def maps_all(found: Suggestion) -> bool:
    return found.found.mapped == found.found.lines > 0 and not found.found.skipped


@pytest.mark.parametrize("name", PRESETS)
def test_a_golden_log_is_recognised_as_its_preset(name: str, workspace: Path) -> None:
    golden = FOLDER / name
    shutil.copytree(golden, workspace / "data" / name)
    logs = sorted(
        path
        for path in (workspace / "data" / name).rglob("*")
        if path.name.startswith(("log.", "rollout-", "demo__")) and path.is_file()
    )
    found, stream = drafted(workspace, str(logs[0].relative_to(workspace)))
    assert stream["preset"] == found.preset == name
    assert found.maps
    assert not set(found.found.reasons) - {"filtered_out"}


def test_a_flat_log_is_drafted_and_its_outcome_is_asked_with_counts(workspace: Path) -> None:
    lines = [
        {
            "question_id": f"q{n % 4}",
            "question": f"What is {n % 4} and {n % 4}?",
            "reply": f"It is {n}.",
            "solved": n % 3 == 0,
            "llm": "m-1",
            "ts": 1_767_225_600 + n,
            "expected_answer": "a reference that nobody may train on",
        }
        for n in range(12)
    ]
    found, stream = drafted(workspace, log(workspace, *lines))
    assert maps_all(found)
    assert found.preset is None
    assert stream["fields"] == {
        "task_id": "question_id",
        "instruction": "question",
        "response": "reply",
        "model_name": "llm",
        "timestamp": {"path": "ts", "time": "epoch_seconds"},
    }
    assert "solved: false 8, true 4" in found.text
    assert '# verdict = "solved"' in found.text
    assert "4 values in 12 lines: tasks x attempts" in found.text
    assert found.found.sight.attempts == {3: 4}


def test_a_conversation_is_drafted_with_its_speakers(workspace: Path) -> None:
    lines = [
        {
            "dialog": [
                {"speaker": "customer", "text": f"My order {n} is late."},
                {"speaker": "bot", "text": "I look into it."},
            ],
            "ticket_id": n,
            "rating": n,
        }
        for n in range(1, 6)
    ]
    found, stream = drafted(workspace, log(workspace, *lines))
    assert maps_all(found)
    assert stream["fields"]["task_id"] == "ticket_id"
    assert stream["fields"]["messages"] == {
        "path": "dialog",
        "role": "speaker",
        "content": "text",
        "roles": {"customer": "user", "bot": "assistant"},
    }
    assert '# reward = { path = "rating", divide_by = 5, lenient = true }' in found.text
    assert [turn["role"] for turn in found.found.samples[0]["messages"]] == ["user", "assistant"]


def test_json_text_of_a_conversation_is_a_conversation(workspace: Path) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
    found, stream = drafted(workspace, log(workspace, {"chat": json.dumps(turns)}))
    assert maps_all(found)
    assert stream["fields"]["messages"] == "chat"
    assert found.found.samples[0]["response"] == "Hello."


def test_two_lists_are_a_conversation(workspace: Path) -> None:
    line = {"case_id": 7, "who": ["human", "ai"], "said": ["Hi there", "Hello."]}
    found, stream = drafted(workspace, log(workspace, line))
    assert maps_all(found)
    assert stream["fields"]["messages"]["path"] == {"zip": {"role": "who", "content": "said"}}


def test_lines_that_are_turns_are_joined_by_their_session_and_sorted(workspace: Path) -> None:
    lines = [
        {"chat_id": f"s{n % 2}", "turn": 3 - n // 2, "role": role, "content": f"{role} of {n % 2}"}
        for n, role in enumerate(["assistant", "assistant", "user", "user", "system", "system"])
    ]
    found, stream = drafted(workspace, log(workspace, *lines))
    assert maps_all(found)
    assert stream["group"] == {"by": "chat_id", "order": "turn"}
    assert stream["fields"] == {"task_id": "chat_id", "messages": "[@]"}
    assert [turn["role"] for turn in found.found.samples[0]["messages"]] == ["system", "user", "assistant"]


def test_turns_that_nothing_joins_are_the_attempt_of_their_file(workspace: Path) -> None:
    lines = [{"message": {"role": role, "content": role}} for role in ("user", "assistant", "user")]
    found, stream = drafted(workspace, log(workspace, *lines))
    assert maps_all(found)
    assert stream["unit"] == "file"
    log(workspace, {"a": 1}, name="next.jsonl")
    assert 'if they are alike: path = "data/*.jsonl"' in drafted(workspace, "data/log.jsonl")[0].text
    assert found.found.evidence == 1


@pytest.mark.parametrize(
    "attempts",
    [
        [{"text": "It is four.", "passed": True}, {"text": "It is five.", "passed": False}],
        ["It is four.", "It is five."],
    ],
)
def test_a_list_of_attempts_becomes_parts(workspace: Path, attempts: list[Any]) -> None:
    line = {"id": 1, "prompt": "2+2?", "samples": attempts, "scores": [1, 0]}
    found, stream = drafted(workspace, log(workspace, line, {**line, "id": 2}))
    assert maps_all(found)
    assert stream["parts"] == {"each": "samples"}
    assert found.found.evidence == 4
    assert '# verdict = "_part.passed"' in found.text or '# reward = { path = "scores"' in found.text


def test_a_question_in_another_file_is_looked_up(workspace: Path) -> None:
    log(
        workspace, *({"question_id": n, "text": f"Why is {n} odd?"} for n in range(3)), name="questions.jsonl"
    )
    answers = [{"question_id": n, "answer": f"Because {n} is."} for n in range(3)]
    found, stream = drafted(workspace, log(workspace, *answers))
    assert maps_all(found)
    assert stream["fields"]["instruction"]["lookup"] == "questions"
    assert found.found.samples[0]["instruction"] == "Why is 0 odd?"


def test_an_outcome_in_another_file_is_offered(workspace: Path) -> None:
    log(workspace, *({"task_id": n, "resolved": n > 0} for n in range(3)), name="report.jsonl")
    runs = [{"task_id": n, "prompt": "Why?", "answer": f"Because {n}."} for n in range(3)]
    found, _ = drafted(workspace, log(workspace, *runs))
    assert maps_all(found)
    taken = tomllib.loads(_OFFERED.sub("", found.text))
    assert taken["stream"][1]["name"] == "report"
    assert taken["stream"][0]["fields"]["verdict"]["get"] == "resolved"
    from_document(taken)


def test_a_log_without_an_outcome_says_so(workspace: Path) -> None:
    found, stream = drafted(workspace, log(workspace, {"id": "a", "prompt": "Why?", "answer": "So it is."}))
    assert "# OUTCOME: not there." in found.text
    assert not {"reward", "verdict"} & set(stream["fields"])


def test_speakers_that_nobody_knows_are_asked(workspace: Path) -> None:
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "zed", "content": "Ho"},
        {"role": "assistant", "content": "Hello."},
    ]
    found, _ = drafted(workspace, log(workspace, {"case_id": 1, "turns": turns}))
    assert '# SPEAKERS: asked. Who is "zed"?' in found.text
    assert not found.maps


@pytest.mark.parametrize(
    "name",
    [
        'a"b',
        "back\\slash",
        "line\nend",
        "\x1b[31mred",
        "\x7f",
        "tab\there",
        "\u202edrawkcab",
        "",
        "a.b",
        "ключ",
        "'",
        "# x",
    ],
)
def test_hostile_names_and_values_give_valid_toml(workspace: Path, name: str) -> None:
    turns = [{"role": "user", "content": name or "?"}, {"role": "assistant", "content": "Hello there."}]
    lines = [
        {name: {"task_id": f"{n}{name}", "passed": f"{name} {n % 2}", "score": n, "turns": turns}}
        for n in range(6)
    ]
    found, stream = drafted(workspace, log(workspace, *lines))
    assert maps_all(found)
    assert set(stream["fields"]) >= {"task_id", "messages"}
    assert all(character.isprintable() or character == "\n" for character in found.text)
    for line in found.text.splitlines():
        if _OFFERED.match(line):
            tomllib.loads(_OFFERED.sub("", line))


@pytest.mark.parametrize("name", ['a"b', "line\nend", "\x1b[31mred", "a.b"])
def test_hostile_names_around_turns_and_attempts(workspace: Path, name: str) -> None:
    turns = [{name: {"role": role, "content": name}, "chat_id": "c"} for role in ("user", "assistant")]
    found, stream = drafted(workspace, log(workspace, *turns))
    assert maps_all(found)
    assert stream["group"] == {"by": "chat_id"}
    attempts = [{name: {"response": f"{name} {n}", "passed": n > 0}} for n in range(2)]
    found, stream = drafted(workspace, log(workspace, {"id": 1, "prompt": name, "attempts": attempts}))
    assert maps_all(found)
    assert found.found.evidence == 2
    assert found.found.sight.fill["response"] == 2


def test_a_pretty_printed_array_and_an_archive_are_read(workspace: Path) -> None:
    rows = [{"task_id": str(n), "prompt": "Why not?", "answer": "Because."} for n in range(3)]
    (workspace / "data" / "all.json").write_text(json.dumps(rows, indent=2))
    found, _ = drafted(workspace, "data/all.json")
    assert maps_all(found)
    assert "one JSON value" in found.text


def test_a_last_line_without_its_end_is_read_as_closed(workspace: Path) -> None:
    (workspace / "data" / "one.jsonl").write_text('{"task_id": 1, "prompt": "Why?", "answer": "So."}')
    found, stream = drafted(workspace, "data/one.jsonl")
    assert stream["closed"] is True
    assert maps_all(found)


def test_the_command_prints_a_draft_that_the_settings_take(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = log(workspace, {"task_id": "a", "prompt": "Why?", "answer": "So.", "ok": True})
    assert main(["streams", "suggest", file, "-C", str(workspace)]) == ExitCode.OK
    shown, told = capsys.readouterr()
    assert "# Tried on all lines: 1 = 1 mapped + none skipped; 1 row." in told
    assert "Tried" not in shown
    assert shown.startswith("\n[[stream]]\n")
    with (workspace / "distill.toml").open("a") as settings:
        settings.write(shown)
    assert main(["streams", "check", "-C", str(workspace)]) == ExitCode.OK
    capsys.readouterr()
    assert main(["streams", "suggest", file, "-C", str(workspace), "--json"]) == ExitCode.OK
    report = json.loads(capsys.readouterr().out)
    assert report["tried"]["mapped"] == 1
    assert "read already, by the stream log" in report["toml"]
    assert report["read_by"] == ["log"]
    assert main(["streams", "suggest", file, "-C", str(workspace)]) == ExitCode.OK
    told = capsys.readouterr().err
    assert "read already, by the stream log" in told
    assert "append it" not in told


def test_a_file_that_maps_nothing_and_one_that_is_not_there(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "data" / "notes.txt").write_text("no log\nat all\n")
    assert main(["streams", "suggest", "data/notes.txt", "-C", str(workspace)]) == ExitCode.CHECK_FAILED
    capsys.readouterr()
    for name in ("data/none.jsonl", "data", "data/\x1b[31m"):
        assert main(["streams", "suggest", name, "-C", str(workspace)]) == ExitCode.WARNINGS
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 3
        assert lines[0].startswith("what happened")
        assert "\x1b" not in lines[0]
    assert main(["streams", "suggest", "-C", str(workspace)]) == ExitCode.USAGE


def test_names_that_no_stream_can_read_are_told_in_three_lines(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = '{"task_id": 1, "prompt": "Why?", "answer": "So."}\n'
    unnamable = os.fsdecode(b"data/b\xff.jsonl")
    (workspace / unnamable).write_text(line)
    (workspace / "exports").mkdir()
    (workspace / "exports" / "x.jsonl").write_text(line)
    os.mkfifo(workspace / "data" / "pipe.jsonl")
    for name in (unnamable, "exports/x.jsonl", "data/pipe.jsonl"):
        assert main(["streams", "suggest", name, "-C", str(workspace)]) == ExitCode.WARNINGS
        assert len(capsys.readouterr().err.splitlines()) == 3
    # As a neighbour such a file does no harm.
    assert maps_all(drafted(workspace, log(workspace, {"task_id": 1, "prompt": "Why?", "answer": "So."}))[0])


def test_a_link_that_leads_out_is_drafted_by_where_it_leads(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "real.jsonl").write_text('{"task_id": 1, "prompt": "Why?", "answer": "So."}\n')
    (workspace / "data" / "link.jsonl").symlink_to(tmp_path / "real.jsonl")
    found, stream = drafted(workspace, "data/link.jsonl")
    assert maps_all(found)
    assert stream["path"] == str(tmp_path / "real.jsonl")


def test_a_copy_of_the_log_is_no_look_up_and_a_number_below_zero_is_no_reward(workspace: Path) -> None:
    lines = [{"task_id": n, "prompt": "Why?", "answer": f"So {n}.", "score": n - 2} for n in range(4)]
    log(workspace, *lines, name="copy.jsonl")
    found, _ = drafted(workspace, log(workspace, *lines))
    assert "lookup" not in found.text
    assert '# verdict = { path = "score", pass_at = 1, fail_below = 1 }' in found.text


def test_a_file_outside_is_drafted_and_says_so(workspace: Path, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere" / "log[1].jsonl"
    outside.parent.mkdir()
    outside.write_text('{"task_id": 1, "prompt": "Why?", "answer": "So."}\n')
    found, _ = drafted(workspace, str(outside))
    assert maps_all(found)
    assert "outside the workspace" in found.text


def test_what_was_asked_and_what_was_said_in_two_lists_are_one_conversation(workspace: Path) -> None:
    """As OpenTelemetry's flat spans have them, each as JSON text."""

    def spoken(role: str, text: str) -> str:
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])

    lines = [
        {
            "task.id": f"t{number}",
            "gen_ai.input.messages": spoken("user", "Rain?"),
            "gen_ai.output.messages": spoken("assistant", f"Yes {number}."),
            "passed": number != 1,
        }
        for number in range(3)
    ]
    found, stream = drafted(workspace, log(workspace, *lines))
    assert stream["fields"]["messages"]["append"] == ['"gen_ai.output.messages"']
    assert maps_all(found)
    assert found.found.sight.fill["response"] == 3
