"""A declared package is really used, says what for, and nothing undeclared is imported."""

from __future__ import annotations

import ast
import itertools
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.fresh_interpreter import REPOSITORY

PYPROJECT = REPOSITORY / "pyproject.toml"
PACKAGES = ("console", "pipeline", "runbook")
# Where the name of a distribution is not that of its package.
IMPORTED_AS = {"gitpython": "git", "ahocorasick-rs": "ahocorasick_rs", "google-re2": "re2"}
# Pydantic's own parts, which come with it.
PARTS = ("annotated_types", "pydantic_core")
RUNTIME = tuple(
    re.match(r"[A-Za-z0-9._-]+", each)[0].lower()  # type: ignore[index]
    for each in tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
)


@cache
def imported() -> dict[str, list[str]]:
    """Each top-level package that our code imports, and the files that do. Types alone are no use."""
    found: dict[str, list[str]] = {}
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            for name in _imports(ast.parse(path.read_bytes())):
                found.setdefault(name.split(".")[0], []).append(path.relative_to(REPOSITORY).as_posix())
    return found


def _imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (each.name for each in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield node.module or ""
    for child in ast.iter_child_nodes(node):
        yield from _imports(child)


@pytest.mark.parametrize("distribution", RUNTIME)
def test_a_runtime_dependency_is_imported(distribution: str) -> None:
    name = IMPORTED_AS.get(distribution, distribution.replace("-", "_"))
    assert imported().get(name), f"nothing imports {name}: use {distribution}, or declare it no longer"


@pytest.mark.parametrize("distribution", RUNTIME)
def test_a_runtime_dependency_says_what_it_does_for_us(distribution: str) -> None:
    text = PYPROJECT.read_text(encoding="utf-8").partition("\ndependencies = [")[2].partition("\n]")[0]
    (line,) = [each for each in text.splitlines() if re.match(rf'\s*"{distribution}\b', each, re.IGNORECASE)]
    assert len(line.partition("#")[2].split()) >= 3, f"no reason beside {distribution} in pyproject.toml"


def test_nothing_is_imported_that_is_not_declared() -> None:
    document = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = [each for group in document["optional-dependencies"].values() for each in group]
    declared = {re.split(r"[<>=\[ ]", each)[0].lower() for each in (*document["dependencies"], *extras)}
    known = {IMPORTED_AS.get(each, each.replace("-", "_")) for each in declared}
    foreign = {
        name: files
        for name, files in imported().items()
        if name not in (*known, *PARTS, *PACKAGES) and name not in sys.stdlib_module_names
    }
    assert foreign == {}


# Pins


def _requirements() -> dict[str, list[Requirement]]:
    """Every package that pyproject.toml declares, by its name: of the runtime and of all extras."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    found: dict[str, list[Requirement]] = {}
    for requirement in map(Requirement, declared):
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def _pins() -> dict[str, str]:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.partition(";")[0].strip().split("==") for line in lines if "==" in line]
    return {canonicalize_name(name): version for name, version in pins}


def test_every_declared_package_has_a_pin_that_its_declaration_allows() -> None:
    pins = _pins()
    assert len(pins) > 50
    assert sorted(_requirements().keys() - pins.keys()) == []
    for name, requirements in _requirements().items():
        for requirement in requirements:
            assert requirement.specifier.contains(pins[name]), f"{requirement} does not allow {pins[name]}"


def test_what_is_pinned_fits_together() -> None:
    """What each pinned package that is here asks of others is what is pinned, as with ``pip check``."""
    pins, examined = _pins(), 0
    for name, version in pins.items():
        try:
            here = distribution(name)
        except PackageNotFoundError:
            continue  # of an extra that is not installed
        assert here.version == version, f"{name} {here.version} is installed, and {version} is pinned"
        for asked in map(Requirement, here.requires or ()):
            if asked.marker is not None and not asked.marker.evaluate({"extra": ""}):
                continue
            examined += 1
            pin = pins.get(canonicalize_name(asked.name))
            assert pin is not None, f"{name} asks for {asked}, which has no pin"
            assert asked.specifier.contains(pin, prereleases=True), (
                f"{name} asks for {asked}, pinned is {pin}"
            )
    assert examined > 50
