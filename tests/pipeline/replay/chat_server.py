"""A chat server on loopback that answers as told, for the client's tests."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[[BaseHTTPRequestHandler], None]


def says(text: str | None, finish_reason: str = "stop") -> Behaviour:
    """A well-formed completion."""
    body = json.dumps({"choices": [{"message": {"content": text}, "finish_reason": finish_reason}]}).encode()
    return sends(body)


def sends(body: bytes, status: int = 200, **headers: str) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def drips(stop: threading.Event) -> Behaviour:
    """A body that never ends: one byte, again and again, until ``stop`` or the client leaves."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):
            while not stop.wait(0.02):
                handler.wfile.write(b" ")
                handler.wfile.flush()

    return behave


def drips_headers(stop: threading.Event) -> Behaviour:
    """A status line, then a header that never ends, one byte at a time."""
    return _writes_on(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", stop)


def repeats_interim_answers(stop: threading.Event) -> Behaviour:
    """``100 Continue`` again and again, never the answer."""
    return _writes_on(b"", b"HTTP/1.1 100 Continue\r\n\r\n", stop)


def _writes_on(first: bytes, again: bytes, stop: threading.Event) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        with contextlib.suppress(OSError):
            handler.wfile.write(first)
            while not stop.wait(0.02):
                handler.wfile.write(again)
                handler.wfile.flush()

    return behave


def hangs(stop: threading.Event) -> Behaviour:
    """No byte at all until ``stop``."""

    def behave(_handler: BaseHTTPRequestHandler) -> None:
        stop.wait(30)

    return behave


@contextlib.contextmanager
def chat_server(behaviour: Behaviour) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yields the base URL and the requests that arrived."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            request = json.loads(self.rfile.read(length))
            seen.append({"path": self.path, "headers": dict(self.headers), **request})
            behaviour(self)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
