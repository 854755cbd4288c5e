"""The models that can be asked: one embedded, and any server that speaks the OpenAI chat API.

Ollama, vLLM and llama.cpp speak it. The client has one deadline for the whole exchange, from the
look-up of the name to the last byte, so that a server that sends a byte a second, or one interim
answer after the other, ends it too. It follows no redirect and uses no proxy.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from pipeline.replay.playbook_index import Playbook
from pipeline.replay.validate import reads_as_filler

MAX_ANSWER_BYTES = 4 << 20
API_KEY_VARIABLE = "LH_REPLAY_API_KEY"
_MAX_LINES = 40


class ModelError(Exception):
    """No answer came. ``code`` is permanent; ``url`` is the server that was asked."""

    def __init__(self, code: str, url: str, detail: str) -> None:
        super().__init__(f"{url}: {detail}")
        self.code = code
        self.url = url
        self.detail = detail


@dataclass(frozen=True)
class Answer:
    """What a model said. ``cut_off``: the server says that its limit ended it."""

    text: str
    cut_off: bool = False


class Model(Protocol):
    """``url`` is None for a model that asks nobody."""

    url: str | None

    def answer(self, task: str, prompt: str, playbooks: Sequence[Playbook]) -> Answer:
        """Raises ModelError."""
        ...


class ExtractiveModel:
    """Answers with the closest playbook's own words, and says so. Deterministic and offline."""

    url: str | None = None

    def answer(self, task: str, prompt: str, playbooks: Sequence[Playbook]) -> Answer:
        best = playbooks[0]
        # Steps that only hedge are no help to the next run, however the playbook came by them.
        lines = [line.rstrip() for line in best.content.splitlines() if not reads_as_filler(line)]
        body = "\n".join(lines[:_MAX_LINES]).strip()
        if body.count("```") % 2:
            body += "\n```"
        return Answer(
            f"Extracted from playbook {best.rag_id}, made of run {best.source_run_id}, word for word.\n\n"
            f"{body}\n\nThis is what worked for a task that reads like this one."
        )


class OpenAIChatModel:
    """One question to ``base_url``/chat/completions."""

    def __init__(self, name: str, base_url: str, timeout_seconds: float) -> None:
        self.name = name
        self.url: str | None = f"{base_url.rstrip('/')}/chat/completions"
        self._timeout_seconds = timeout_seconds

    def answer(self, task: str, prompt: str, playbooks: Sequence[Playbook]) -> Answer:
        url = str(self.url)
        body = {
            "model": self.name,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0,
            "stream": False,
        }
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(API_KEY_VARIABLE):
            headers["Authorization"] = f"Bearer {key}"
        return _read_answer(url, self._exchange(url, json.dumps(body).encode(), headers))

    def _exchange(self, url: str, body: bytes, headers: dict[str, str]) -> bytes:
        """The body of the answer, by a thread that is not waited for after the deadline.

        Time-outs of a socket begin again with every byte, and the look-up of a name has none.
        """
        place = urlsplit(url)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        connection = kind(place.netloc, timeout=self._timeout_seconds)
        came: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                with contextlib.closing(connection):
                    connection.request("POST", place.path, body, headers)
                    with connection.getresponse() as response:
                        answer = _read_body(response, url)
                came.put(answer)
            except Exception as error:  # noqa: BLE001 - handed on to the one who waits
                came.put(error)

        threading.Thread(target=ask, name="replay", daemon=True).start()
        answer: bytes | Exception
        try:
            answer = came.get(timeout=self._timeout_seconds)
        except queue.Empty:
            answer = TimeoutError()
            if (opened := connection.sock) is not None:
                with contextlib.suppress(OSError):  # ends the thread, wherever it reads
                    opened.shutdown(socket.SHUT_RDWR)
        match answer:
            case bytes():
                return answer
            case ModelError():
                raise answer
            case TimeoutError():
                raise ModelError("timeout", url, f"no answer within {self._timeout_seconds:g} s") from answer
            case _:
                raise ModelError("unreachable", url, str(answer) or type(answer).__name__) from answer


def _read_body(response: http.client.HTTPResponse, url: str) -> bytes:
    if not 200 <= response.status < 300:
        raise ModelError("http_error", url, f"the server answered with status {response.status}")
    data = response.read(MAX_ANSWER_BYTES + 1)
    if len(data) > MAX_ANSWER_BYTES:
        raise ModelError("answer_too_large", url, f"more than {MAX_ANSWER_BYTES:,} bytes")
    return data


def _read_answer(url: str, body: bytes) -> Answer:
    try:
        choice = json.loads(body)["choices"][0]
        text = choice["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise ModelError("malformed_answer", url, "the body is no chat completion") from error
    if text is None:
        text = ""
    if not isinstance(text, str):
        raise ModelError("malformed_answer", url, "the answer is no text")
    return Answer(text, cut_off=choice.get("finish_reason") == "length")
