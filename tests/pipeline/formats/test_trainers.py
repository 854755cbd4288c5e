"""Formatted folders load as they are in the trainers' own library (optional group `trainers`)."""

from __future__ import annotations

import functools
from pathlib import Path, PurePosixPath
from typing import Any

import orjson
import pytest

from pipeline.contracts import paths
from pipeline.engine import beside_manifest
from pipeline.firewall import loaded_names
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
    write(workspace, f"{name}:jsonl")
    in_lines = {
        split: (folder(workspace, name) / f"{split}.jsonl").read_bytes().splitlines()
        for split in ("train", "validation")
    }
    write(workspace, f"{name}:{kind}")
    for split, lines in in_lines.items():
        path = folder(workspace, name) / f"{split}.{kind}"
        module = "json" if kind == "jsonl" else kind
        loaded = datasets.load_dataset(
            module, data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
        )
        written = [_comparable(orjson.loads(line)) for line in lines]
        assert sorted(map(orjson.dumps, map(_comparable, loaded))) == sorted(map(orjson.dumps, written))


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_loads_by_its_name_though_its_splits_differ_and_a_file_was_quarantined(
    name: str, kind: str, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only one split has calls, and each has arguments of its own; one of them looks like a date."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets: Any = pytest.importorskip("datasets")
    write(workspace, f"{name}:{kind}")
    place = folder(workspace, name)
    files = {split: place / f"{split}.{kind}" for split in ("train", "validation")}
    if kind == "jsonl":
        lines = [line for file in files.values() for line in file.read_bytes().splitlines()]
        lines = [line.replace(b'"all":true', b'"day":"2024-05-01"') for line in lines]
        has_calls = [b"arguments" in line for line in lines]
        for file, wanted in zip(files.values(), (False, True), strict=True):
            kept = [line for line, called in zip(lines, has_calls, strict=True) if called is wanted]
            file.write_bytes(b"".join(line + b"\n" for line in kept or lines))
    (place / f"train.{kind}{paths.QUARANTINE_MARK}17").write_bytes(files["train"].read_bytes())
    loaded = datasets.load_dataset(str(place), cache_dir=str(tmp_path / "cache"))
    assert set(loaded) == set(files)
    if kind == "jsonl":
        for split, file in files.items():
            written = [_comparable(orjson.loads(line)) for line in file.read_bytes().splitlines()]
            assert list(map(_comparable, loaded[split])) == written


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("export", paths.EXPORT_FILES)
def test_the_folder_of_an_export_loads_without_what_was_quarantined_in_it(
    export: str, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even while nothing else is there."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets: Any = pytest.importorskip("datasets")
    file = workspace / paths.EXPORT_FILES[export]
    aside = file.with_name(f"{file.name}{paths.QUARANTINE_MARK}17")
    aside.write_bytes(file.read_bytes())
    load = functools.partial(datasets.load_dataset, str(file.parent), cache_dir=str(tmp_path / "cache"))
    (rows,) = load().values()
    assert len(rows) == len(file.read_bytes().splitlines())
    file.unlink()
    with pytest.raises(FileNotFoundError):
        load()


@pytest.mark.filterwarnings("default")
def test_every_kind_of_file_that_the_library_reads_is_known_to_those_who_look_beside() -> None:
    """But for pictures, sounds and the like, which hold no text to train on."""
    modules: Any = pytest.importorskip("datasets.packaged_modules")
    of_no_text = {"imagefolder", "audiofolder", "videofolder", "meshfolder", "pdffolder", "niftifolder"}
    kinds = {
        ending.removeprefix(".")
        for ending, (module, _) in modules._EXTENSION_TO_MODULE.items()
        if module not in of_no_text | {"harbor"}
    }
    assert len(kinds) > 5
    for place in (PurePosixPath(f"exports/sft/rows.{kind}") for kind in kinds):
        assert loaded_names.is_loaded(place), place
        assert beside_manifest.would_be_read(place), place


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("name", [name for name in FORMATS if name.startswith("trl-")])
def test_the_recipe_of_a_folder_trains(
    name: str, kind: str, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As somebody would who copies it from the README, in the workspace; but on the CPU, and one step."""
    for library in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(library, "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    templates: Any = pytest.importorskip("trl.chat_template_utils")
    import trl

    from tests.docs.fenced import blocks
    from tests.trainers import model

    here = {"use_cpu": True, "bf16": False, "report_to": "none", "max_steps": 1, "save_strategy": "no"}
    for config in ("SFTConfig", "DPOConfig", "KTOConfig"):
        monkeypatch.setattr(trl, config, functools.partial(getattr(trl, config), **here))
    write(workspace, f"{name}:{kind}")
    monkeypatch.chdir(workspace)
    (block,) = blocks((folder(workspace, name) / "README.md").read_text())
    tokenizer = model.tokenizer(templates.qwen3_chat_template)
    made: dict[str, Any] = {
        "model": model.save_model(tmp_path / "model", len(tokenizer), 1 << 12),
        "tokenizer": tokenizer,
    }
    exec(compile(block.text, name, "exec"), made)  # noqa: S102 - what the page tells people to run
    made["trainer"].train()
    assert made["trainer"].state.global_step == 1
    assert len(made["trainer"].train_dataset) > 1
    assert made["trainer"].args.max_length == made["args"].max_length >= 1024


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
