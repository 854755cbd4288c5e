from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pipeline.contracts.faults import ExitCode
from tests.docs import exit_codes_page

CHECKOUT = exit_codes_page.CHECKOUT
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
