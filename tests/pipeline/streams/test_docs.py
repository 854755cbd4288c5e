"""docs/streams.md: each of its examples gives what it shows, and nothing is left out."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.settings.model import from_document
from pipeline.settings.presets import PRESETS
from pipeline.settings.rules import CONDITION_TESTS, RULE_OPTIONS, RULE_SOURCES, Rule, StreamFields
from pipeline.streams.compiled import CompiledStream, compile_stream
from pipeline.streams.files import SourceFile
from pipeline.streams.lookup import load_lookup
from tests.pipeline.streams.sources import group_outcomes, outcome

PAGE = (Path(__file__).parents[3] / "docs" / "streams.md").read_text()
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


class Line(NamedTuple):
    value: dict[str, Any]
    file: str
    number: int


class Example(NamedTuple):
    title: str
    settings: str
    lookups: dict[str, str]
    lines: list[Line]
    shown: list[dict[str, Any]]


def examples() -> list[Example]:
    found: list[Example] = []
    settings = ""
    lookups: dict[str, str] = {}
    lines: list[Line] = []
    for block in _BLOCK.finditer(PAGE):
        language, name, text = block.groups()
        rows = [json.loads(line) for line in text.splitlines()] if language != "toml" else []
        if language == "toml":
            settings, lookups, lines = text, {}, []
        elif language == "json" and name and "/" not in name:
            lookups[name] = text
        elif language == "json":
            file = name or "data/_kb/runs.jsonl"
            lines += [Line(row, file, number) for number, row in enumerate(rows, 1)]
        else:
            title = _HEADING.findall(PAGE[: block.start()])[-1]
            found.append(Example(f"{title} {len(found)}", settings, lookups, lines, rows))
    return found


EXAMPLES = examples()


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.title for example in EXAMPLES])
def test_an_example_gives_what_it_shows(example: Example, tmp_path: Path) -> None:
    text = example.settings
    if not text.startswith("[[stream]]"):
        text = '[[stream]]\nname = "runs"\npath = "data/_kb/runs*.jsonl"\n' + text
    settings = from_document(tomllib.loads(text))
    tables = {}
    for stream in settings.streams:
        if stream.role == "lookup":
            path = tmp_path / f"{stream.name}.jsonl"
            path.write_text(example.lookups[stream.name])
            tables[stream.name] = load_lookup(stream, [SourceFile(path.name, path)])
    compiled = compile_stream(settings.streams[0], tables)
    given: list[dict[str, Any]] = []
    for rows in outcomes(compiled, example):
        given += [{"skip": str(rows.reason)}] if isinstance(rows, LineFault) else rows
    assert len(given) == len(example.shown)
    for row, shown in zip(given, example.shown, strict=True):
        assert {name: row[name] for name in shown} == shown


def outcomes(compiled: CompiledStream, example: Example) -> list[list[dict[str, Any]] | LineFault]:
    if compiled.grouping is None:
        return [
            outcome(compiled, line.value, source_file=line.file, line_number=line.number)
            for line in example.lines
        ]
    files: dict[str, list[dict[str, Any]]] = {}
    for line in example.lines:
        files.setdefault(line.file, []).append(line.value)
    return group_outcomes(compiled, files)


def test_every_block_of_the_page_belongs_to_an_example() -> None:
    assert len(EXAMPLES) == PAGE.count("```toml") == PAGE.count("```evidence") > 20


def test_every_reason_has_its_line() -> None:
    listed = re.findall(r"^\| `([a-z0-9_]+)` \| ", PAGE.split("## Lines and their skips")[1], re.MULTILINE)
    assert sorted(listed) == sorted(map(str, SkipReason))


@pytest.mark.parametrize(
    "name",
    [
        *(field.alias or name for name, field in Rule.model_fields.items()),
        *StreamFields.model_fields,
        *(name.rstrip("_") for name in (*CONDITION_TESTS, *RULE_SOURCES, *RULE_OPTIONS)),
        *PRESETS,
    ],
)
def test_everything_in_the_language_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE or f"`{name} =" in PAGE
