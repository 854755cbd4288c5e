"""Pages that are made from code are what the code says; and what points somewhere points at something."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from console.cli.commands import BY_NAME
from pipeline.contracts.faults import ExitCode
from tests.docs import exit_codes_page
from tests.docs.pages import CHECKOUT, leftovers, pages

PAGES = pages()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_page_is_what_the_code_says(page: Path) -> None:
    committed = CHECKOUT / page
    assert committed.is_file(), "run: make pages"
    assert committed.read_text(encoding="utf-8") == PAGES[page], "run: make pages"


def test_no_page_is_left_of_what_is_no_more() -> None:
    assert leftovers() == [], "run: make pages"


def test_every_page_names_the_command_that_makes_it() -> None:
    silent = [
        str(page)
        for page in PAGES
        if page.parts[:2] != ("docs", "runbook") and "make pages" not in PAGES[page]
    ]
    assert silent == []


# Exit codes

UNIT = CHECKOUT / "docs/operations/distill-watch.service"


def test_every_code_has_a_meaning_and_its_number_is_fixed() -> None:
    assert set(exit_codes_page.MEANINGS) == set(exit_codes_page.TESTS) == set(ExitCode)
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 4, 5, 10, 11, 12, 75, 130, 143]


@pytest.mark.parametrize(("code", "place"), exit_codes_page.TESTS.items())
def test_the_test_that_sees_a_code_exists_and_names_it(code: ExitCode, place: tuple[str, str]) -> None:
    file, name = place
    tree = ast.parse((CHECKOUT / file).read_text(encoding="utf-8"))
    (test,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert re.search(rf"ExitCode\.{code.name}\b|\b{int(code)}\b", ast.unparse(test))


def test_the_unit_starts_a_command_that_exists_and_names_no_machine() -> None:
    text = UNIT.read_text(encoding="utf-8")
    (start,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert start == "/usr/bin/env distill -C ${DISTILL_WORKSPACE} watch --json"
    assert Path(CHECKOUT / "console/commands/watch.py").is_file()
    assert "SuccessExitStatus=143" in text
    assert not re.search(r"/(?:home|root)/|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+", text)


# Documentation that points somewhere must point at something

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
# `distill` as a command word: at the start of the code or of a line in it, after a prompt, a
# `;`, `|`, `&` or `(`. Options that come first (`-C DIR`) are passed over.
_COMMAND = re.compile(r"(?:^|[`;|&($] ?)distill((?: +-C +\S+)*)(?: +([a-z][a-z-]*))?", re.MULTILINE)
# The head of a line in a package's docstring: ``* ``run``, ``watch``  what they are``.
_DOORS = re.compile(r"^\* (``[a-z0-9_/]+``(?:, ``[a-z0-9_/]+``)*)", re.MULTILINE)
_TOPS = ("console", "pipeline", "runbook")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def _pages() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [CHECKOUT / name for name in listed.stdout.splitlines() if (CHECKOUT / name).is_file()]


MARKDOWN = [pytest.param(page, id=str(page.relative_to(CHECKOUT))) for page in _pages()]


@pytest.mark.parametrize("page", MARKDOWN)
def test_every_relative_link_resolves(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    broken = []
    for target in _LINK.findall(_CODE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = (page.parent / name).resolve() if name else page
        if not place.exists() or (anchor and anchor not in _anchors(place)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", MARKDOWN)
def test_every_command_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {name for code in _CODE.findall(text) for _, name in _COMMAND.findall(code) if name}
    assert named - BY_NAME.keys() == set()


def test_the_search_for_commands_finds_them() -> None:
    code = "`distill -C out/demo run-all`"
    assert _COMMAND.findall(_CODE.findall(code)[0]) == [(" -C out/demo", "run-all")]


def test_the_fixtures_have_the_digests_that_their_page_names() -> None:
    page = (CHECKOUT / "fixtures/README.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"^\| `(\S+\.jsonl)` \| \d+ \| `([0-9a-f]{64})` \|", page, re.MULTILINE))
    streams = (CHECKOUT / "fixtures/streams").glob("*.jsonl")
    assert named == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in streams}


def test_the_doors_that_a_package_lists_are_there() -> None:
    packages = [path.parent for top in _TOPS for path in (CHECKOUT / top).rglob("__init__.py")]
    for folder in packages:
        text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
        for name in re.findall(r"``([a-z0-9_/]+)``", " ".join(_DOORS.findall(text))):
            assert (folder / name).is_dir() or (folder / f"{name}.py").is_file(), f"{folder.name}: {name}"


def _anchors(page: Path) -> set[str]:
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
