"""Formatted folders load as they are in the trainers' own library (optional group `trainers`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.formats.registry import FORMATS
from tests.pipeline.formats.test_folders import folder, write
from tests.pipeline.schemas.rows import golden

pytestmark = pytest.mark.trainers


@pytest.mark.filterwarnings("default")  # the library's own
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_loads_with_every_row_as_it_was(
    name: str, kind: str, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets: Any = pytest.importorskip("datasets")
    write(workspace, f"{name}:{kind}", f"{name}:jsonl")
    for split in ("train", "validation"):
        path = folder(workspace, name) / f"{split}.{kind}"
        module = "json" if kind == "jsonl" else kind
        loaded = datasets.load_dataset(
            module, data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
        )
        lines = sorted(path.with_suffix(".jsonl").read_bytes().splitlines())
        written = [_comparable(orjson.loads(line)) for line in lines]
        assert sorted(map(orjson.dumps, map(_comparable, loaded))) == sorted(map(orjson.dumps, written))


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


def _comparable(value: Any, name: str = "") -> Any:
    """Without nulls, which a table has for members that a row does not have; tools as the value they are."""
    if name == "tools" and isinstance(value, str):
        value = orjson.loads(value or "null")
    if isinstance(value, dict):
        made = {key: _comparable(member, key) for key, member in sorted(value.items())}
        return {key: member for key, member in made.items() if member is not None}
    if isinstance(value, list):
        return [_comparable(member) for member in value]
    return value
