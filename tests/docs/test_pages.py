from __future__ import annotations

from pathlib import Path

import pytest

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
    assert silent == ["README.md"]
