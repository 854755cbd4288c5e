"""Rows are read whatever version they are of, and a line that is no row is named."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pipeline.contracts.faults import InputError, IntegrityError
from pipeline.formats.registry import FORMATS
from pipeline.formats.sources import CANONICAL, Claim, canonical_rows
from pipeline.schemas.golden_rows import GOLDEN_FOLDER
from pipeline.schemas.migrations import upgrade


def export(root: Path, name: str, data: bytes) -> Claim:
    path = root / CANONICAL[name]
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return Claim(str(CANONICAL[name]))


@pytest.mark.parametrize("name", ["sft", "preference"])
def test_rows_of_version_1_are_formatted_as_those_of_today(tmp_path: Path, name: str) -> None:
    data = (GOLDEN_FOLDER / name / "version-1.jsonl").read_bytes()
    claim = export(tmp_path, name, data)
    read = list(canonical_rows(tmp_path, name, claim))
    assert read == [upgrade(name, orjson.loads(line)) for line in data.splitlines()]
    assert (claim.rows, claim.size) == (len(read), len(data))
    for entry in FORMATS.values():
        if entry.source == name:
            assert any(isinstance(entry.convert(row), dict) for row in read)


@pytest.mark.parametrize(
    "line", [b"{", b"[]\n", b'{"messages": null}\n', b'{"id":"sft-0","messages":[{}]}\n']
)
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: bytes) -> None:
    good = (GOLDEN_FOLDER / "sft" / "version-1.jsonl").read_bytes().splitlines(keepends=True)[0]
    claim = export(tmp_path, "sft", good + line)
    with pytest.raises(IntegrityError) as caught:
        list(canonical_rows(tmp_path, "sft", claim))
    assert caught.value.fault.line == 2


def test_an_export_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        list(canonical_rows(tmp_path, "sft", Claim(str(CANONICAL["sft"]))))
    assert caught.value.fault.code == "no_export"
