"""Formatted files load as they are in the trainers' own library (optional group `trainers`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.contracts import paths
from pipeline.formats.rows import FORMATS
from pipeline.formats.write import CANONICAL, formatted_file, write_formatted
from tests.pipeline.formats.test_rows import CHAT, CHAT_PAIR, FLAT, FLAT_PAIR
from tests.pipeline.schemas.rows import golden

pytestmark = pytest.mark.trainers


@pytest.mark.filterwarnings("default")  # the library's own
@pytest.mark.parametrize("name", FORMATS)
def test_a_formatted_file_loads_with_every_row_as_it_was(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets: Any = pytest.importorskip("datasets")
    for relative, rows in (
        (paths.SFT_EXPORT, (FLAT, CHAT)),
        (paths.PREFERENCE_EXPORT, (FLAT_PAIR, CHAT_PAIR)),
    ):
        (tmp_path / relative).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / relative).write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    receipt = write_formatted(tmp_path, FORMATS[name])
    assert receipt["source"]["path"] == str(CANONICAL[FORMATS[name].export])
    path = tmp_path / formatted_file(FORMATS[name])
    loaded = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    written = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert [_without_nulls(row) for row in loaded] == [_without_nulls(row) for row in written]


FIRST_BLOCK_BYTES = 11 << 20  # what the library takes its types from, and more


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("is_turned", [False, True], ids=["flat first", "conversations first"])
@pytest.mark.parametrize("export", ["sft", "preference", "rag"])
def test_a_canonical_export_loads_in_any_order_of_its_rows(
    export: str, is_turned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of one kind fill the first block, so that its types are fixed when the others come."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets: Any = pytest.importorskip("datasets")
    kinds = [golden(export, number) for number in range(2)]
    if is_turned:
        kinds.reverse()
    lines = [orjson.dumps(kind) + b"\n" for kind in kinds]
    first = FIRST_BLOCK_BYTES // len(lines[0])
    path = tmp_path / "rows.jsonl"
    path.write_bytes(lines[0] * first + lines[1] * 3)
    loaded = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "c"))
    assert len(loaded) == first + 3
    for place, kind in ((0, kinds[0]), (first, kinds[1]), (first + 2, kinds[1])):
        row = dict(loaded[place])
        # A stamp in whole seconds is read as a time; every row of a file has the same one.
        assert str(row.pop("recorded_at"))[:10] == kind["recorded_at"][:10]
        assert row == {name: value for name, value in kind.items() if name != "recorded_at"}


def _without_nulls(value: Any) -> Any:
    """Loading a table fills members that a row does not have with nulls."""
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_nulls(member) for member in value]
    return value
