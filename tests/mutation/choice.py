"""Which test files are asked about a module."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.mutation.trial import CHECKOUT

MOST_FILES, FEW_FILES = 12, 8
# What is laid down in a workspace is imported by nobody: it runs there.
LAID_DOWN = {
    "pipeline/templates/workspace/tests/test_workspace_contract.py": "tests/pipeline/test_golden_lines.py"
}
PRODUCT = ("console", "pipeline", "runbook")


def files_that_name(module: Path) -> list[str]:
    """The test files that import a module, those that are called like it first, ``MOST_FILES`` at most.

    Where fewer than ``FEW_FILES`` do, as many of those that import a module which imports it; where none
    does, those of its package, too, which may start a program that uses it. Relative to the checkout.
    """
    if str(module) in LAID_DOWN:
        return [LAID_DOWN[str(module)]]
    dotted = _dotted(module)
    name = dotted.rpartition(".")[2]
    mirrored = CHECKOUT / "tests" / module.parent
    while not mirrored.is_dir():
        mirrored = mirrored.parent
    words = set(re.split(r"[._]", dotted))

    def distance(file: Path) -> tuple[bool, int, bool]:
        shared = words & set(re.split(r"[/_]", str(file.relative_to(CHECKOUT).with_suffix(""))))
        return name not in file.stem, -len(shared), not file.is_relative_to(mirrored)

    tests = _imports("tests", "test_*.py")
    naming = sorted((file for file, imported in tests.items() if dotted in imported), key=distance)
    through = {_dotted(file.relative_to(CHECKOUT)) for file, imported in _product() if dotted in imported}
    near = [file for file in tests if (through | {dotted}) & _with_helpers(file) and file not in naming]
    if not naming:
        near += [file for file in tests if file.is_relative_to(mirrored) and file not in near]
    own = {f"test_{each.rpartition('.')[2]}" for each in through}
    near.sort(key=lambda file: (name not in file.stem, file.stem not in own, *distance(file)))
    found = [*naming, *near[: max(0, FEW_FILES - len(naming))]][:MOST_FILES]
    return [str(file.relative_to(CHECKOUT)) for file in found]


@cache
def _with_helpers(test: Path) -> frozenset[str]:
    """What a test file imports, and what those modules of the tests import that it takes its helpers from."""
    helpers = {_dotted(file.relative_to(CHECKOUT)): file for file in _imports("tests", "*.py")}
    found, waiting = set(_of(test)), [test]
    while waiting:
        for name in _of(waiting.pop()):
            if name in helpers and helpers[name] not in waiting and not found >= (more := _of(helpers[name])):
                found |= more
                waiting.append(helpers[name])
    return frozenset(found)


def _of(file: Path) -> frozenset[str]:
    return _imports("tests", "*.py")[file]


def _dotted(module: Path) -> str:
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")


def _product() -> list[tuple[Path, frozenset[str]]]:
    return [each for package in PRODUCT for each in _imports(package, "*.py").items()]


@cache
def _imports(folder: str, names: str) -> dict[Path, frozenset[str]]:
    return {
        file: frozenset(_imported(ast.parse(file.read_bytes())))
        for file in sorted((CHECKOUT / folder).rglob(names))
    }


def _imported(tree: ast.Module) -> Iterator[str]:
    """What a module imports by name: each may be a module itself, or hold the one that is meant."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{each.name}" for each in names)
            case _:
                pass
