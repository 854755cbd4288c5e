"""What CONTRIBUTING.md says of where things are added: one place declares them, the rest follows."""

from __future__ import annotations

import importlib
import inspect

import pytest

from console.cli.commands import BATCH, COMMANDS
from pipeline.audit.full import function_of
from pipeline.contracts.check_index import ACCEPTANCE, AUDIT, CheckSpec
from pipeline.contracts.command import Command
from pipeline.settings.model import ScoringSettings
from pipeline.stages.scoring_rules import Thresholds
from tests.docs.pages import CHECKOUT
from tests.docs.test_pages import PAGES

RECIPES = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# Modules beside the commands that several of them share.
OF_THE_ENGINE = {"context", "run_options", "run_report", "what_if_report", "result_tables"}
SHARED = OF_THE_ENGINE | {"table", "consenting", "direct", "building"}


@pytest.mark.parametrize("command", [*COMMANDS, BATCH], ids=lambda each: each.name)
def test_a_declared_command_has_its_module(command: Command) -> None:
    if command.owner != "firewall":
        run = importlib.import_module(command.module_name).run
        assert len(inspect.signature(run).parameters) == 2


def test_no_module_of_a_command_is_undeclared() -> None:
    declared = {each.module_name for each in (*COMMANDS, BATCH)} | {"runbook.commands.drill"}
    for package in ("pipeline", "runbook", "console"):
        folder = CHECKOUT / package / "commands"
        names = {path.stem for path in folder.glob("*.py")} - SHARED - {"__init__"}
        undeclared = {f"{package}.commands.{name}" for name in names} - declared
        assert undeclared == set(), "declare it: see 'Add a command' in CONTRIBUTING.md"


def test_a_check_is_spelled_by_its_index_and_its_phase_alone() -> None:
    """No list of ids beside the index: console and runbook are told of a new check by it."""
    for package in ("console", "runbook/tell", "pipeline/contracts"):
        for path in (CHECKOUT / package).rglob("*.py"):
            if path.name == "check_index.py":
                continue
            text = path.read_text(encoding="utf-8")
            named = [spec.id for spec in (*AUDIT, *ACCEPTANCE) if f'"{spec.id}"' in text]
            assert len(named) <= 4, f"{path} lists checks: {named}; see 'Add a check' in CONTRIBUTING.md"


def test_a_check_of_the_audit_has_its_function_by_its_name() -> None:
    elsewhere = {"P4.sft-firewall", "P6.acceptance"}
    functions = [function_of(spec) for spec in AUDIT if spec.id not in elsewhere]
    assert len(set(functions)) == len(functions) == len(AUDIT) - len(elsewhere)
    with pytest.raises(LookupError, match=r"P3\.no-such has no function no_such in pipeline/audit/p3_"):
        function_of(CheckSpec("P3.no-such", "P3", "", ""))


def test_rules_are_asked_with_every_threshold_of_the_settings() -> None:
    thresholds = {name for name, value in vars(Thresholds).items() if isinstance(value, property)}
    assert thresholds == set(ScoringSettings.model_fields), "see 'Add a scoring rule' in CONTRIBUTING.md"


def test_the_recipes_name_places_that_exist() -> None:
    for place in (
        "pipeline/contracts/commands.py",
        "runbook/commands/table.py",
        "console/cli/commands.py",
        "pipeline/contracts/check_index.py",
        "pipeline/settings/model.py",
        "pipeline/settings/reference.py",
        "pipeline/settings/digest.py",
        "pipeline/formats/registry.py",
        "pipeline/firewall/formatted.py",
        "tests/pipeline/formats/test_golden_lines.py",
        "pipeline/stages/scoring_rules.py",
        "pipeline/stages/score.py",
        "tests/pipeline/audit/faults.py",
        "tests/console/test_every_command_speaks.py",
    ):
        assert f"`{place}`" in RECIPES, place
        assert (CHECKOUT / place).is_file()
    assert RECIPES.count("`make pages`") >= 4
    assert PAGES
