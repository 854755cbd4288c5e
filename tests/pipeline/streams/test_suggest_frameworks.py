"""``distill streams suggest`` on what public agent frameworks write: mapped, answered, and the task known."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings.model import Settings, from_document
from pipeline.streams.suggest import suggest

CASES = [("sum-1", True), ("sum-2", True), ("sum-1", False)]
ARGUMENTS = {"a": 17, "b": 25}


def _langchain(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "content": "", "additional_kwargs": {}, **more}


def _langchain_turns(answer: str) -> list[dict[str, Any]]:
    call = {"name": "add", "args": ARGUMENTS, "id": "c1", "type": "tool_call"}
    return [
        _langchain("human", content="What is 17 + 25?"),
        _langchain("ai", tool_calls=[call]),
        _langchain("tool", content="42", tool_call_id="c1"),
        _langchain("ai", content=answer),
    ]


def _items(answer: str) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": "What is 17 + 25?"},
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": json.dumps(ARGUMENTS)},
        {"type": "function_call_output", "call_id": "c1", "output": "42"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": answer}]},
    ]


def _pydantic_ai(answer: str) -> list[dict[str, Any]]:
    call = {"part_kind": "tool-call", "tool_name": "add", "args": ARGUMENTS, "tool_call_id": "c1"}
    given = {"part_kind": "tool-return", "tool_name": "add", "content": 42, "tool_call_id": "c1"}
    asked = {"part_kind": "user-prompt", "content": "What is 17 + 25?"}
    return [
        {"kind": "request", "instructions": "Be brief.", "parts": [asked]},
        {"kind": "response", "model_name": "m", "parts": [call]},
        {"kind": "request", "instructions": "Be brief.", "parts": [given]},
        {"kind": "response", "model_name": "m", "parts": [{"part_kind": "text", "content": answer}]},
    ]


def _haystack(answer: str) -> list[dict[str, Any]]:
    origin = {"tool_name": "add", "arguments": ARGUMENTS, "id": "c1", "extra": None}
    given = {"tool_call_result": {"result": "42", "origin": origin, "error": False}}
    return [
        {"role": "user", "meta": {}, "name": None, "content": [{"text": "What is 17 + 25?"}]},
        {"role": "assistant", "meta": {}, "name": None, "content": [{"tool_call": origin}]},
        {"role": "tool", "meta": {}, "name": None, "content": [given]},
        {"role": "assistant", "meta": {}, "name": None, "content": [{"text": answer}]},
    ]


def _autogen(answer: str) -> list[dict[str, Any]]:
    given = {"content": "42", "name": "add", "call_id": "c1", "is_error": False}
    return [
        {"type": "UserMessage", "source": "user", "content": "What is 17 + 25?"},
        {"type": "AssistantMessage", "content": [{"id": "c1", "name": "add", "arguments": "{}"}]},
        {"type": "FunctionExecutionResultMessage", "content": [given]},
        {"type": "AssistantMessage", "content": answer},
    ]


def _smolagents(answer: str) -> list[dict[str, Any]]:
    def turn(role: str, text: str) -> dict[str, Any]:
        return {"role": role, "content": [{"type": "text", "text": text}], "tool_calls": None}

    asked = [turn("system", "Be brief."), turn("user", "New task:\nWhat is 17 + 25?")]
    then = [turn("tool-call", "Calling tools: add"), turn("tool-response", "Observation:\n42")]
    said = {"role": "assistant", "content": "I add."}
    return [
        {"task": "What is 17 + 25?", "task_images": None},
        {"step_number": 1, "model_input_messages": asked, "model_output_message": said},
        {
            "step_number": 2,
            "model_input_messages": [*asked, *then],
            "model_output_message": {**said, "content": answer},
        },
    ]


SHAPES: dict[str, Any] = {
    "langchain_dict": lambda answer: {
        "messages": [{"type": t["type"], "data": t} for t in _langchain_turns(answer)]
    },
    "langchain_dumps": lambda answer: {
        "state": {
            "messages": [{"lc": 1, "type": "constructor", "kwargs": t} for t in _langchain_turns(answer)]
        }
    },
    "langchain_model_dump": lambda answer: {"outputs": {"messages": _langchain_turns(answer)}},
    "openai_agents": lambda answer: {"items": _items(answer)},
    "pydantic_ai": lambda answer: {"messages": _pydantic_ai(answer)},
    "haystack": lambda answer: {"messages": _haystack(answer)},
    "autogen_state": lambda answer: {"state": {"llm_context": {"messages": _autogen(answer)}}},
    "smolagents": lambda answer: {"intermediate_steps": _smolagents(answer)},
    "answer_beside": lambda answer: {
        "messages": [{"role": "user", "content": "What is 17 + 25?"}],
        "response": f"Response(text={answer!r})",
        "outputs": [answer],
    },
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "data" / "_kb").mkdir(parents=True)
    return tmp_path


def drafted(workspace: Path, name: str, text: str) -> tuple[Any, dict[str, Any]]:
    (workspace / "data" / "_kb" / name).write_text(text)
    found = suggest(workspace, Settings(), f"data/_kb/{name}")
    return found, tomllib.loads(found.text)["stream"][0]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_line_is_mapped_with_its_task_and_its_answer(shape: str, workspace: Path) -> None:
    lines = [
        {"case": case, "attempt": n, "passed": passed, **SHAPES[shape](f"The answer is {40 + n}.")}
        for n, (case, passed) in enumerate(CASES)
    ]
    found, stream = drafted(workspace, "log.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert found.found.mapped == found.found.lines == len(CASES)
    assert stream["fields"]["task_id"] == "case"
    assert '# verdict = "passed"' in found.text.splitlines()
    assert [row["response"] for row in found.found.samples] == [f"The answer is {40 + n}." for n in range(3)]
    assert {row["instruction"].removeprefix("New task:\n") for row in found.found.samples} == {
        "What is 17 + 25?"
    }


@pytest.mark.parametrize("messages", [_pydantic_ai, _items, _smolagents])
def test_a_file_whose_items_are_one_run_is_one_attempt(messages: Any, workspace: Path) -> None:
    found, stream = drafted(workspace, "run.json", json.dumps(messages("The answer is 42."), indent=1))
    assert stream["unit"] == "file"
    assert found.found.mapped == found.found.lines
    assert [row["response"] for row in found.found.samples] == ["The answer is 42."]


def test_lines_of_other_kinds_are_filtered_out(workspace: Path) -> None:
    asked, *rest = _items("The answer is 42.")
    spans = [
        {"type": "generation", "model": "m", "input": [asked], "output": [rest[0]]},
        {"type": "function", "name": "add", "input": "{}", "output": "42"},
        {"type": "generation", "model": "m", "input": [asked, *rest[:2]], "output": [rest[2]]},
        {"type": "agent", "name": "calc"},
    ]
    lines = [{"trace_id": "t1", "id": f"s{n}", "span_data": span} for n, span in enumerate(spans)]
    found, stream = drafted(workspace, "spans.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert stream["where"] == {"path": "span_data.type", "equals": "generation"}
    assert stream["fields"]["messages"] == {"path": "span_data.input", "append": ["span_data.output"]}
    assert found.found.reasons == {"filtered_out": 2}
    assert [row["response"] for row in found.found.samples] == [None, "The answer is 42."]


def test_agents_with_names_are_asked_for(workspace: Path) -> None:
    turns = [
        {"source": "user", "content": "What is 17 + 25?"},
        *({"source": "calc", "content": text} for text in ("I add.", "The tool says 42.", "42.")),
    ]
    found, _ = drafted(workspace, "log.jsonl", json.dumps({"task_id": 1, "messages": turns}) + "\n")
    line = '# messages = { path = "messages", role = "source", roles = { calc = "?" } }'
    assert line in found.text
    taken = (
        found.text.replace(line, line.removeprefix("# "))
        .replace('messages = { path = "messages", role = "source" }  #', "#")
        .replace('calc = "?"', 'calc = "assistant"')
    )
    assert tomllib.loads(taken)["stream"][0]["fields"]["messages"]["roles"] == {"calc": "assistant"}


def test_an_object_around_rows_is_drafted_by_its_rows(workspace: Path) -> None:
    rows = [{"id": n, "prompt": f"What is {n}?", "reply": f"It is {n}.", "solved": n > 0} for n in range(3)]
    found, stream = drafted(workspace, "export.json", json.dumps({"object": "list", "data": rows}, indent=1))
    assert stream["parts"] == {"each": "data"}
    assert (found.found.mapped, found.found.evidence) == (1, 3)
    assert [row["task_id"] for row in found.found.samples] == ["0", "1", "2"]
    assert '# verdict = "_part.solved"' in found.text


def test_a_list_beside_a_question_and_an_answer_is_no_list_of_rows(workspace: Path) -> None:
    line = {"id": 1, "prompt": "What is 1?", "reply": "It is 1.", "votes": [{"by": "a"}, {"by": "b"}]}
    _, stream = drafted(workspace, "log.jsonl", json.dumps(line) + "\n")
    assert "parts" not in stream


def test_what_stands_below_a_reference_is_no_answer_and_scores_in_a_list_are_asked(workspace: Path) -> None:
    tasks = [
        {
            "task_id": f"t{n}",
            "inputs": {"input": f"What is {n}?"},
            "reference_outputs": {"answer": f"It is {n}."},
            "feedback": [
                {"key": "matches", "score": n > 0, "comment": None},
                {"key": "length", "score": n / 2},
                {"key": "it's odd", "score": True},
            ],
        }
        for n in range(3)
    ]
    found, stream = drafted(workspace, "run.json", json.dumps({"run_id": "r", "tasks": tasks}, indent=1))
    assert stream["parts"] == {"each": "tasks"}
    assert "response" not in stream["fields"]
    lines = found.text.splitlines()
    assert "#   _part.feedback[?key=='matches'].score | [0]: true 2, false 1" in lines
    assert "# verdict = \"_part.feedback[?key=='matches'].score | [0]\"" in lines
    assert "# reward = \"_part.feedback[?key=='length'].score | [0]\"" in lines
    assert "odd" not in found.text
    taken = found.text.replace("# verdict", "verdict")
    rows = from_document(tomllib.loads(taken)).streams[0]
    assert "verdict" in rows.fields


@pytest.mark.parametrize(("tasks", "is_key"), [(3, True), (2, False)])
def test_what_is_the_same_in_all_attempts_at_a_task_is_asked(
    workspace: Path, tasks: int, *, is_key: bool
) -> None:
    lines = [
        {"task_id": task, "question": f"What is {task}?", "answer": f"It is {task}.", "trial": trial}
        for task in range(tasks)
        for trial in range(2)
    ]
    found, stream = drafted(workspace, "log.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    offer = '# response = "answer"  # the same in all attempts at a task: is it a reference?'
    assert (offer in found.text) is is_key
    assert ("response" in stream["fields"]) is not is_key


def test_one_other_answer_makes_it_an_answer(workspace: Path) -> None:
    lines = [
        {"task_id": n % 3, "question": f"What is {n % 3}?", "answer": f"It is {n % 3 if n else 7}."}
        for n in range(6)
    ]
    _, stream = drafted(workspace, "log.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert stream["fields"]["response"] == "answer"


def _ended(shape: str, reason: str) -> dict[str, Any]:
    """A run of two answers, the last of which ended for ``reason``."""
    first, last = ({"model": "m-1", "finish_reason": why} for why in ("tool_calls", reason))
    if shape == "haystack":
        turns = _haystack("The answer")
        turns[1]["meta"], turns[3]["meta"] = first, last
        return {"messages": turns}
    if shape == "text":
        return {"messages": json.dumps(_ended("haystack", reason)["messages"])}
    if shape == "pydantic_ai":
        turns = _pydantic_ai("The answer")
        turns[1]["finish_reason"], turns[3]["finish_reason"] = "tool_call", reason
        return {"messages": turns}
    turns = _langchain_turns("The answer")
    turns[1]["response_metadata"], turns[3]["response_metadata"] = first, last
    return {
        "messages": [{"type": t["type"], "data": t} for t in turns] if shape == "langchain_dict" else turns
    }


@pytest.mark.parametrize("shape", ["haystack", "text", "langchain_dict", "langchain", "pydantic_ai"])
@pytest.mark.parametrize("more", [{}, {"reward": 1.0, "task_id": "t"}])
def test_why_the_last_answer_ended_and_its_model_are_drafted_from_the_turns(
    shape: str, more: dict[str, Any], workspace: Path
) -> None:
    lines = [
        {"case": "sum-1", "n": n, **_ended(shape, why), **more} for n, why in enumerate(("stop", "length"))
    ]
    found, _ = drafted(workspace, "log.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert [row["finish_reason"] for row in found.found.samples] == ["stop", "length"]
    assert all(row["model_name"] in ("m", "m-1") for row in found.found.samples)
    assert found.found.flags["truncated"] == 1
    assert "names the model" not in found.text


def test_a_rule_for_the_turns_of_the_model_asks_who_speaks(workspace: Path) -> None:
    _, stream = drafted(workspace, "log.jsonl", json.dumps({"case": 1, **_ended("haystack", "stop")}) + "\n")
    assert stream["fields"]["finish_reason"] == "messages[?role=='assistant'].meta.finish_reason | [-1]"
    assert stream["fields"]["model_name"] == "messages[?role=='assistant'].meta.model | [-1]"


def test_a_session_ends_as_its_last_line_does(workspace: Path) -> None:
    lines = [
        {"session_id": s, "role": role, "content": text, "model": "m", "finish_reason": why}
        for s, last in (("a", "stop"), ("b", "length"))
        for role, text, why in (("user", "Hi", None), ("assistant", "So.", "stop"), ("assistant", "An", last))
    ]
    found, stream = drafted(workspace, "log.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert stream["group"]["by"] == "session_id"
    assert [row["finish_reason"] for row in found.found.samples] == ["stop", "length"]


def test_what_a_user_or_a_call_says_of_a_model_is_none_and_the_folder_of_all_logs_names_none(
    workspace: Path,
) -> None:
    turns = _haystack("The answer is 42.")
    turns[0]["meta"] = {"model": "Volvo"}
    turns[1]["content"][0]["tool_call"]["arguments"] = {"model": "Volvo"}
    line = json.dumps({"case": 1, "messages": turns}) + "\n"
    found, stream = drafted(workspace, "log.jsonl", line)
    assert "model_name" not in stream["fields"]
    assert "_file.path" not in found.text
    assert '# model_name = { const = "?" }' in found.text
    folder = workspace / "data" / "_kb" / "m-1"
    folder.mkdir()
    assert '# model_name = { path = "_file.path"' in drafted(workspace, "m-1/log.jsonl", line)[0].text
