"""Which names say that a file is finished, and what a stream's path may meet besides files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.storage.archives import Ending
from pipeline.streams.files import ending_of, list_sources
from pipeline.streams.looks import words_for
from tests.pipeline.streams.sources import settings_of, stream

RUNS = stream(path="logs/*", fields={"task_id": "id"})


@pytest.mark.parametrize(
    "name",
    [
        "runs.jsonl.1",
        "runs.jsonl.27",
        "runs.1",
        "runs.jsonl.old",
        "runs.jsonl-20260101",
        "runs.jsonl.20260101",
        "runs.jsonl-2026010112",
        "runs.jsonl-20260101-120000",
        "runs.jsonl.2026-01-01",
        "runs.jsonl.2026-01-01_12",
        "runs.jsonl.2026-01-01_12-30-05",
        "runs.jsonl-1767225600",
        "runs-20260101.jsonl",
        "runs.2026-01-01.log",
        "runs_20260101_1200.jsonl",
    ],
)
def test_a_rotated_name_says_that_nothing_more_comes(name: str) -> None:
    assert ending_of(f"logs/{name}", RUNS) is Ending.CLOSED


@pytest.mark.parametrize(
    "name",
    [
        "runs.jsonl",
        "runs-1.jsonl",
        "runs.1.jsonl",
        "20260101",
        ".1",
        "runs-20260101-gpt.jsonl",
        "runs2026.jsonl",
        "runs.jsonl.12345",
        "runs.jsonl.1\n",
    ],
)
def test_any_other_name_says_nothing(name: str) -> None:
    assert ending_of(f"logs/{name}", RUNS) is Ending.OPEN


def test_a_closed_stream_has_finished_files() -> None:
    closed = stream(path="logs/*", fields={"task_id": "id"}, closed=True)
    assert ending_of("logs/runs.jsonl", closed) is Ending.CLOSED


def test_what_is_no_file_is_listed_apart(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    (folder / "inner").mkdir(parents=True)
    (folder / "runs.jsonl").write_bytes(b"{}\n")
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "gone.jsonl").symlink_to("nowhere")
    (folder / "loop.jsonl").symlink_to("loop.jsonl")
    listing = list_sources(tmp_path, settings_of(RUNS), RUNS)
    assert [file.relative for file in listing.files] == ["logs/runs.jsonl"]
    assert listing.refused == {
        "logs/pipe.jsonl": "a named pipe",
        "logs/gone.jsonl": "a link that leads nowhere",
        "logs/loop.jsonl": "a link that leads nowhere",
    }


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b'[{"a": 1},\n{"a": 2}]\n', "a JSON array: jq -c '.[]'"),
        (b'\xef\xbb\xbf  [\n  {"a": 1}\n]', "a JSON array: jq -c '.[]'"),
        (b'{\n  "a": 1\n}\n', "indented JSON: jq -c ."),
        (b'{"a": 1,\n "b": 2}\n', "indented JSON: jq -c ."),
        (b'{"a": {"b": 1}\n, "c": 2}\n', "indented JSON: jq -c ."),
        (b'{"a": 1e400}\n', "JSON except"),
        (b'{"a": NaN}\n', "JSON except"),
        (b'{"a": "\\ud800"}\n', "JSON except"),
        (b'{"a": 1}}\n', "JSON-like"),
        (b'{"a": 1}\n', ""),
        (b"{'a': 1, 'b': None}\n", "Python's notation"),
        (b"id,ask,said\n1,a,b\n2,c,d\n", "CSV"),
        (b"id\task\n1\ta\n2\tb\n", "tab-separated"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"PK\x03\x04\x14", "zip"),
        (b"\x28\x2a\0\0binary", "binary"),
        (b"SQLite format 3\0\x10\0", "SQLite"),
        (b"\xff\xfe{\0", "UTF-16"),
        (b"\x80\x04\x95", "pickle"),
        (b"x" * 257 + b"ustar\0", "tar"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"name: x\nvalue: y\n", "YAML"),
        (b'\x1e{"a":1}\n', "RFC 7464"),
        (b"1\n2\n", "no objects"),
        (b'{"a": 1}\r{"a": 2}\r', "end in CR alone"),
        (b'{"a": 1}\r', ""),
        (b"Traceback most recent call\n  at x\n", "plain text"),
        (b"\n \n", "white space"),
        (b"caf\xe9 au lait and more\n", "UTF-8"),
    ],
)
def test_a_file_is_told_by_how_it_begins(head: bytes, words: str) -> None:
    found = words_for(head)
    assert words in found
    assert bool(found) is bool(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"a": 1},\n{"a": 2},\n', "a comma behind each"),
        (b'[\n{"a": 1},\n]\n', "a comma before its end"),
        (b'[\n{"a": 1}\n]\n', "a JSON array: jq"),
    ],
)
def test_commas_that_are_no_json_are_named(text: bytes, words: str) -> None:
    assert words in words_for(text)
