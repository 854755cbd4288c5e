"""The loss recipe of each folder: it is the one that `make trainers` trains by, and loads its own folder.

Without the libraries nothing is trained here: what is compared are names. `test_trainers.py` carries the
recipes out where the optional group is installed.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.formats.registry import FORMATS
from tests.docs.fenced import blocks
from tests.trainers import train

_TRAINED: dict[str, set[str]] = {}


def recipe(name: str) -> tuple[str, str]:
    """Its language and its text, as the README of a folder has them."""
    from collections import Counter

    from pipeline.formats.readme import readme

    (block,) = blocks(readme(FORMATS[name], "parquet", {"train": 3}, [100, 200], Counter()))
    return block.language, block.text


def calls(text: str) -> Iterator[tuple[str, set[str]]]:
    """Each call of a class of TRL: its name, and the names of its arguments."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name.endswith(("Config", "Trainer")):
                yield name, {keyword.arg for keyword in node.keywords if keyword.arg is not None}


def trained_by() -> dict[str, set[str]]:
    """The arguments that `make trainers` gives to each class, those that all share among them."""
    options = next(
        node
        for node in ast.walk(ast.parse(inspect.getsource(train)))
        if isinstance(node, ast.FunctionDef) and node.name == "options"
    )
    shared = {
        key.value
        for node in ast.walk(options)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    found: dict[str, set[str]] = {}
    for name, arguments in calls(inspect.getsource(train)):
        found.setdefault(name, set()).update(arguments)
        if name.endswith("Config"):
            found[name] |= {str(each) for each in shared}
    return found


@pytest.mark.parametrize("name", [name for name in FORMATS if name.startswith("trl-")])
def test_a_recipe_of_trl_has_the_arguments_by_which_it_is_tried(name: str) -> None:
    language, text = recipe(name)
    assert language == "python"
    compile(text, name, "exec")
    found = dict(calls(text))
    assert {key[3:] for key in found} == {"Config", "Trainer"}
    for called, arguments in found.items():
        assert arguments <= trained_by()[called], called
    assert "max_length" in {each for arguments in found.values() for each in arguments}
    assert f'load_dataset("{paths.FORMATTED / name}")' in text


@pytest.mark.parametrize("name", [name for name in FORMATS if name.startswith(("axolotl", "llama-factory"))])
def test_a_recipe_in_yaml_names_its_folder_and_a_length(name: str) -> None:
    language, text = recipe(name)
    assert language == "yaml"
    said: dict[str, Any] = importlib.import_module("yaml").safe_load(text)
    folder = str(paths.FORMATTED / name)
    if name.startswith("axolotl"):
        assert [entry["path"] for entry in said["datasets"]] == [folder]
        assert said["sequence_len"] >= 1024
    else:
        assert said["dataset_dir"] == folder
        assert FORMATS[name].beside is not None
        assert said["dataset"] in FORMATS[name].beside({"train": "train.parquet"})  # type: ignore[misc]
        assert said["cutoff_len"] >= 1024


@pytest.mark.parametrize("name", FORMATS)
def test_a_recipe_can_be_read_and_leaves_nothing_to_fill_in(name: str) -> None:
    language, text = recipe(name)
    assert text.strip()
    assert not set(re.findall(r"{[a-z_]+}", text))
    if language == "python":
        compile(text, name, "exec")
    else:
        assert isinstance(importlib.import_module("yaml").safe_load(text), dict)
