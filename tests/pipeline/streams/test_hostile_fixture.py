"""Every hostile line of the fixture is mapped or skipped for its own reason, and costs no neighbour."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipeline.contracts.skips import SkipReason
from pipeline.settings.load import load_settings
from pipeline.storage.source_lines import MAX_LINE_BYTES, LineFault, lines_of, open_source, parse_line
from pipeline.streams.compiled import compile_stream
from pipeline.streams.files import stream_files
from pipeline.streams.survey import survey

HOSTILE = Path(__file__).parents[3] / "fixtures" / "hostile"
EXPECTED: list[dict[str, Any]] = json.loads((HOSTILE / "expected.json").read_bytes())
# What only other streams can show: look-ups and parts. Their own tests have them.
NOT_IN_THE_FIXTURE = {
    SkipReason.ARCHIVE_DAMAGED,
    SkipReason.LOOKUP_MISSING,
    SkipReason.DUPLICATE_LOOKUP_KEY,
    SkipReason.NO_PARTS,
    SkipReason.TOO_LONG,
}


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hostile_make", HOSTILE / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hostile_make"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    data = tmp_path / "data" / "_kb"
    data.mkdir(parents=True)
    for source in HOSTILE.glob("*.jsonl"):
        (data / source.name).write_bytes(source.read_bytes())
    (tmp_path / "distill.toml").write_bytes((HOSTILE / "distill.toml").read_bytes())
    return tmp_path


def test_the_committed_files_are_what_the_script_makes() -> None:
    for name, data in maker().files().items():
        assert (HOSTILE / name).read_bytes() == data, name


def outcomes(workspace: Path) -> list[dict[str, Any]]:
    settings = load_settings(workspace).settings
    stream = settings.stream("hostile")
    compiled = compile_stream(stream, {})
    seen: set[str] = set()
    found = []
    for file in stream_files(workspace, settings, stream):
        with open_source(file.path) as source:
            for line in lines_of(source):
                digest = hashlib.sha256(line.raw).hexdigest()
                value = parse_line(line.raw)
                if line.torn:
                    outcome = str(SkipReason.TORN_TAIL)
                elif isinstance(value, LineFault):
                    outcome = str(value.reason)
                elif digest in seen:
                    outcome = str(SkipReason.DUPLICATE_LINE)
                else:
                    seen.add(digest)
                    rows = compiled.map_line(
                        value,
                        source_file=file.relative,
                        line=line.line,
                        byte_offset=line.byte_offset,
                        sig_hash=digest,
                    )
                    outcome = str(rows.reason) if isinstance(rows, LineFault) else "mapped"
                found.append(
                    {
                        "file": file.path.name,
                        "line": line.line,
                        "byte_offset": line.byte_offset,
                        "outcome": outcome,
                    }
                )
    return found


def test_each_line_has_its_outcome(workspace: Path) -> None:
    assert outcomes(workspace) == EXPECTED


def test_an_oversize_line_is_skipped_and_the_next_one_is_read(workspace: Path) -> None:
    giant = b'{"task_id": "big", "prompt": "' + b"x" * MAX_LINE_BYTES + b'"}\n'
    good = (HOSTILE / "hostile_lines.jsonl").read_bytes().split(b"\n")[-2] + b"\n"
    (workspace / "data/_kb/hostile_big.jsonl").write_bytes(giant + good.replace(b'"t42"', b'"t43"'))
    found = [entry for entry in outcomes(workspace) if entry["file"] == "hostile_big.jsonl"]
    assert [(entry["outcome"], entry["byte_offset"]) for entry in found] == [
        ("oversize", 0),
        ("mapped", len(giant)),
    ]


def test_the_fixture_shows_every_reason() -> None:
    shown = {entry["outcome"] for entry in EXPECTED} | {"oversize"}
    assert shown == {str(reason) for reason in set(SkipReason) - NOT_IN_THE_FIXTURE} | {"mapped"}


def test_the_survey_counts_every_line_once(workspace: Path) -> None:
    (found,) = survey(workspace, load_settings(workspace).settings, ["hostile"])
    assert found.lines == len(EXPECTED) == found.mapped + found.looked_up + found.skipped
    assert found.mapped == found.evidence == sum(entry["outcome"] == "mapped" for entry in EXPECTED)
    assert found.files_with_mark == ["data/_kb/hostile_torn.jsonl"]
