"""SECURITY.md promises nothing that no test attacks, and names no test that is not there."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import CHECKOUT

PAGE = (CHECKOUT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)


def _section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda each: str(each))
def test_a_test_that_it_names_is_there(file: str, name: str) -> None:
    text = (CHECKOUT / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


def test_each_line_of_what_is_defended_has_its_tests_in_order() -> None:
    promised = re.findall(r"^- \*\*(.+?)\*\*:", _section("What is defended"), re.MULTILINE)
    rows = dict(re.findall(r"^\| (.+?) \| (`.+`) \|$", _section("What shows it"), re.MULTILINE))
    assert promised == list(rows)
    assert len(promised) >= 8
    for line in promised:
        assert re.search(r"`tests/[\w/]+\.py::test_\w+`", rows[line]), line


def test_the_files_and_make_targets_that_it_names_are_there() -> None:
    for place in re.findall(r"\]\((docs/[^)#]+)\)|`((?:pipeline|docs)/[\w./-]+\.\w+)`", PAGE):
        assert (CHECKOUT / (place[0] or place[1])).is_file(), place
    targets = re.findall(r"^([\w-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"faults", "sbom"} <= set(re.findall(r"`make ([\w-]+)`", PAGE)) <= set(targets)
