"""What holds for every listed symptom."""

from __future__ import annotations

import json
from pathlib import Path

from console.cli.commands import BY_NAME
from pipeline.contracts.severity import Severity
from pipeline.settings.model import Settings
from pipeline.settings.origin import leaves
from runbook.symptoms import SYMPTOMS, definitions
from runbook.tell.pages import lint, pages
from tests.runbook.command_line import distill

WORST_FIRST = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING, Severity.INFO)


def test_they_name_nothing_that_is_not_there_and_every_required_check_leads_to_one() -> None:
    assert lint(SYMPTOMS, BY_NAME) == []


def test_the_worst_comes_first() -> None:
    ranks = [WORST_FIRST.index(each.severity) for each in SYMPTOMS]
    assert ranks == sorted(ranks)


def test_each_has_a_page_of_its_own() -> None:
    assert len(pages(SYMPTOMS)) == len(SYMPTOMS) + 1


def test_a_threshold_is_a_setting_with_the_same_default() -> None:
    thresholds = [each for definition in definitions() for each in definition.thresholds]
    defaults = {name: value for name, _, value in leaves(Settings())}
    assert thresholds
    assert {f"{each.section}.{each.key}": each.default for each in thresholds}.items() <= defaults.items()


def test_list_and_lint_need_no_workspace(tmp_path: Path) -> None:
    listed = distill(tmp_path, "runbook", "list", "--json")
    assert [each["id"] for each in json.loads(listed.stdout)["symptoms"]] == [each.id for each in SYMPTOMS]
    assert distill(tmp_path, "runbook", "lint").returncode == 0
