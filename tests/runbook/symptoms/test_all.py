"""What holds for every listed symptom."""

from __future__ import annotations

from pipeline.contracts.status import Severity
from runbook.lint import lint
from runbook.pages import pages
from runbook.symptoms import SYMPTOMS

WORST_FIRST = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING, Severity.INFO)


def test_they_name_nothing_that_is_not_there() -> None:
    assert [each for each in lint(SYMPTOMS) if not each.startswith("no symptom answers")] == []


def test_the_worst_comes_first() -> None:
    ranks = [WORST_FIRST.index(each.severity) for each in SYMPTOMS]
    assert ranks == sorted(ranks)


def test_each_has_a_page_of_its_own() -> None:
    assert len(pages(SYMPTOMS)) == len(SYMPTOMS) + 1
