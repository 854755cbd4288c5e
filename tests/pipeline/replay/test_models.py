"""The client against a real server: what it asks, and every way in which no answer comes."""

from __future__ import annotations

import socket
import threading

import pytest

from pipeline.replay.models import MAX_ANSWER_BYTES, ExtractiveModel, ModelError, OpenAIChatModel
from pipeline.replay.playbook_index import Playbook
from pipeline.replay.validate import validate
from tests.pipeline.replay.chat_server import (
    chat_server,
    drips,
    drips_headers,
    hangs,
    repeats_interim_answers,
    says,
    sends,
)

BOOK = Playbook("rag-1", "runs/1", "Stop a service", "Stop the service, then read its log.", 3.0)


def ask(url: str, timeout_seconds: float = 5.0) -> str:
    return OpenAIChatModel("tiny", url, timeout_seconds).answer("t", "the prompt", [BOOK]).text


def test_an_answer_is_read_and_the_question_is_the_chat_apis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LH_REPLAY_API_KEY", "not-a-secret")
    with chat_server(says("Stop it.")) as (url, seen):
        assert ask(url) == "Stop it."
    assert seen[0]["path"] == "/v1/chat/completions"
    assert seen[0]["model"] == "tiny"
    assert seen[0]["messages"] == [{"role": "user", "content": "the prompt"}]
    assert seen[0]["headers"]["Authorization"] == "Bearer not-a-secret"


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with chat_server(says("direct")) as (url, _):
        assert ask(url) == "direct"


def test_an_answer_that_a_limit_ended_says_so() -> None:
    with chat_server(says("half", finish_reason="length")) as (url, _):
        assert OpenAIChatModel("tiny", url, 5).answer("t", "p", [BOOK]).cut_off


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"not json", 200, "malformed_answer"),
        (b"{}", 200, "malformed_answer"),
        (b'{"choices": []}', 200, "malformed_answer"),
        (b'{"choices": [{"message": {"content": 7}}]}', 200, "malformed_answer"),
        (b"[" * 100_000, 200, "malformed_answer"),
        (b"oops", 500, "http_error"),
        (b"busy", 503, "http_error"),
        (b" " * (MAX_ANSWER_BYTES + 1), 200, "answer_too_large"),
    ],
)
def test_a_bad_answer_has_a_code_and_names_the_url(body: bytes, status: int, code: str) -> None:
    with chat_server(sends(body, status)) as (url, _), pytest.raises(ModelError) as caught:
        ask(url)
    assert caught.value.code == code
    assert caught.value.url == f"{url}/chat/completions"


def test_a_redirect_is_not_followed() -> None:
    redirect = sends(b"", 302, Location="http://127.0.0.1:1/elsewhere")
    with chat_server(redirect) as (url, _), pytest.raises(ModelError) as caught:
        ask(url)
    assert caught.value.code == "http_error"


@pytest.mark.parametrize("behaviour", [drips, drips_headers, repeats_interim_answers, hangs])
def test_one_deadline_ends_a_slow_stream_and_a_silent_server(behaviour: object) -> None:
    stop = threading.Event()
    try:
        with chat_server(behaviour(stop)) as (url, _):  # type: ignore[operator]  # one of the two factories
            with pytest.raises(ModelError) as caught:
                ask(url, timeout_seconds=0.3)
            stop.set()
    finally:
        stop.set()
    assert caught.value.code == "timeout"


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(ModelError) as caught:
        ask(f"http://127.0.0.1:{port}/v1")
    assert caught.value.code == "unreachable"


def test_the_embedded_model_quotes_its_playbook_and_leaves_hedges_out() -> None:
    book = Playbook(
        "rag-7",
        "runs/7",
        "t",
        "Restart the broken gateway service.\nI'm not sure, it depends.\n```\nsystemctl restart gateway",
        1.0,
    )
    answer = ExtractiveModel().answer("restart the gateway", "p", [book])
    assert "systemctl restart gateway" in answer.text
    assert "not sure" not in answer.text
    assert "rag-7" in answer.text
    assert validate(answer.text, [book.content]) == []
    assert ExtractiveModel().answer("restart the gateway", "p", [book]) == answer
