"""Every page that is made from code, in one list: ``make pages`` writes them, a test compares them."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.checks import reference as checks
from pipeline.schemas import reference as schemas
from pipeline.settings import reference as settings
from runbook.symptoms import SYMPTOMS
from runbook.tell.pages import pages as runbook_pages
from tests.docs import commands_page, exit_codes_page, keys_page, preset_pages, scoring_page

CHECKOUT = Path(__file__).resolve().parents[2]
FAULTS = CHECKOUT / "tests/pipeline/audit/faults.json"
RUNBOOK = Path("docs/runbook")


def pages() -> dict[Path, str]:
    """What each page should hold, by its path below the checkout."""
    return {
        Path("docs/commands.md"): commands_page.page(),
        Path("docs/man/distill.1"): commands_page.man_page(),
        Path("docs/exit-codes.md"): exit_codes_page.page(),
        Path("docs/keys.md"): keys_page.page(),
        Path("docs/settings.md"): settings.page(),
        Path("docs/scoring.md"): scoring_page.page(),
        Path("docs/schemas.md"): schemas.page().rstrip("\n") + "\n",
        Path("docs/checks.md"): checks.page(json.loads(FAULTS.read_text(encoding="utf-8"))),
        **preset_pages.pages(),
        **{RUNBOOK / name: text for name, text in runbook_pages(SYMPTOMS).items()},
    }


def leftovers() -> list[Path]:
    """Pages of symptoms and presets that are no more."""
    wanted = pages()
    return [
        path
        for folder in (RUNBOOK, preset_pages.PLACE)
        for path in sorted((CHECKOUT / folder).glob("*.md"))
        if path.relative_to(CHECKOUT) not in wanted
    ]


def write() -> None:
    for path, text in pages().items():
        (CHECKOUT / path).parent.mkdir(exist_ok=True)
        (CHECKOUT / path).write_text(text, encoding="utf-8")
    for path in leftovers():
        path.unlink()


if __name__ == "__main__":
    write()
