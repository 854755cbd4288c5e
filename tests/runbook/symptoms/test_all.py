"""What holds for every listed symptom."""

from __future__ import annotations

import json
from pathlib import Path

from console.cli.commands import BY_NAME
from pipeline.contracts.status import Severity
from runbook.symptoms import SYMPTOMS
from runbook.tell.pages import lint, pages
from tests.runbook.test_commands import distill

WORST_FIRST = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING, Severity.INFO)


def test_they_name_nothing_that_is_not_there_and_every_required_check_leads_to_one() -> None:
    assert lint(SYMPTOMS, BY_NAME) == []


def test_the_worst_comes_first() -> None:
    ranks = [WORST_FIRST.index(each.severity) for each in SYMPTOMS]
    assert ranks == sorted(ranks)


def test_each_has_a_page_of_its_own() -> None:
    assert len(pages(SYMPTOMS)) == len(SYMPTOMS) + 1


def test_list_and_lint_need_no_workspace(tmp_path: Path) -> None:
    listed = distill(tmp_path, "runbook", "list", "--json")
    assert [each["id"] for each in json.loads(listed.stdout)["symptoms"]] == [each.id for each in SYMPTOMS]
    assert distill(tmp_path, "runbook", "lint").returncode == 0
