"""Workspaces with a few source lines, for tests of streams."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts.skips import LineFault
from pipeline.settings.model import Settings, StreamSettings, from_document
from pipeline.storage.source_lines import SourceLine
from pipeline.streams.compiled import CompiledStream, compile_stream
from pipeline.streams.files import SourceFile
from pipeline.streams.lookup import load_lookup
from pipeline.streams.records import Files, assembled, map_record, noted


def stream(name: str = "runs", **section: Any) -> StreamSettings:
    """A stream whose other keys are those of its section in ``distill.toml``."""
    section.setdefault("path", f"data/_kb/{name}*.jsonl")
    return from_document({"stream": [{"name": name, **section}]}).streams[0]


def settings_of(*streams: StreamSettings, roots: tuple[str, ...] = ()) -> Settings:
    document = Settings(streams=streams)
    return document.model_copy(
        update={"workspace": document.workspace.model_copy(update={"source_roots": roots})}
    )


def outcome(
    compiled: CompiledStream,
    line: dict[str, Any],
    *,
    source_file: str = "data/_kb/runs.jsonl",
    line_number: int = 1,
) -> list[dict[str, Any]] | LineFault:
    raw = orjson.dumps(line)
    return compiled.map_line(
        line,
        source_file=source_file,
        line=line_number,
        byte_offset=0,
        sig_hash=hashlib.sha256(raw).hexdigest(),
    )


def group_outcomes(
    compiled: CompiledStream, files: Mapping[str, Sequence[dict[str, Any]]]
) -> list[list[dict[str, Any]] | LineFault]:
    """What each group of the lines of ``files``, and each line that is in none, gives."""
    assert compiled.grouping is not None
    raws: dict[tuple[int, int], bytes] = {}
    named: Files = {}

    def lines_of(number: int, lines: Sequence[dict[str, Any]]) -> Iterator[SourceLine]:
        offset = 0
        for count, line in enumerate(lines, 1):
            raw = raws[number, offset] = orjson.dumps(line)
            yield SourceLine(raw, count, offset, torn=False)
            offset += len(raw) + 1

    each = (
        noted(number, name, lines_of(number, lines), named)
        for number, (name, lines) in enumerate(files.items())
    )
    return [
        map_record(compiled, record, [raws[member.file, member.start] for member in record.members()], named)
        for record in assembled(each, compiled.grouping)
    ]


def mapped(compiled: CompiledStream, line: dict[str, Any]) -> list[dict[str, Any]]:
    rows = outcome(compiled, line)
    assert not isinstance(rows, LineFault), rows
    return rows


def evidence(line: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The one row of ``line`` under ``fields`` (``task_id`` is found at ``id`` unless said)."""
    (row,) = mapped(compile_stream(stream(fields={"task_id": "id", **fields}), {}), {"id": "t1", **line})
    return row


def refusal(line: dict[str, Any], **fields: Any) -> LineFault:
    fault = outcome(compile_stream(stream(fields={"task_id": "id", **fields}), {}), {"id": "t1", **line})
    assert isinstance(fault, LineFault), fault
    return fault


def lookup_of(folder: Path, name: str, key: str, *lines: dict[str, Any]) -> dict[str, Any]:
    """A look-up table of ``lines``, under its name."""
    path = folder / f"{name}.jsonl"
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return {name: load_lookup(stream(name, role="lookup", key=key), [SourceFile(path.name, path)])}
