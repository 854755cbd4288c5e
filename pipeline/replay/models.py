"""The models that can be asked: one embedded, and any server that speaks the OpenAI chat API.

Ollama, vLLM and llama.cpp speak it. The client has one deadline for the whole exchange, so a
server that sends a byte a second ends it too; it follows no redirect and uses no proxy.
"""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Protocol

from pipeline.replay.playbook_index import Playbook
from pipeline.replay.validate import reads_as_filler

MAX_ANSWER_BYTES = 4 << 20
API_KEY_VARIABLE = "LH_REPLAY_API_KEY"
_READ_BYTES = 1 << 14
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
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - settings allow http(s) only
        return _read_answer(url, self._exchange(url, request))

    def _exchange(self, url: str, request: urllib.request.Request) -> bytes:
        deadline = time.monotonic() + self._timeout_seconds
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
        try:
            with opener.open(request, timeout=self._timeout_seconds) as response:
                return _read_until(response, deadline, url)
        except urllib.error.HTTPError as error:
            error.close()
            raise ModelError("http_error", url, f"the server answered with status {error.code}") from error
        except TimeoutError as error:
            raise ModelError("timeout", url, f"no answer within {self._timeout_seconds:g} s") from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise ModelError("timeout", url, f"no answer within {self._timeout_seconds:g} s") from error
            raise ModelError("unreachable", url, str(error.reason)) from error
        except (OSError, http.client.HTTPException) as error:
            raise ModelError("unreachable", url, str(error) or type(error).__name__) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _read_until(response: IO[bytes], deadline: float, url: str) -> bytes:
    pieces: list[bytes] = []
    size = 0
    read = getattr(response, "read1", response.read)
    while True:
        if time.monotonic() > deadline:
            raise TimeoutError
        piece = read(_READ_BYTES)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
        if size > MAX_ANSWER_BYTES:
            raise ModelError("answer_too_large", url, f"more than {MAX_ANSWER_BYTES:,} bytes")


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
