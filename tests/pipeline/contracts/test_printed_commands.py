"""Every command of ours that is printed to be typed is one that the command line takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.cli.commands import BY_NAME
from pipeline.contracts.check_index import ACCEPTANCE, AUDIT, GATES, CheckSpec
from pipeline.contracts.faults import SettingsError
from pipeline.platform.command_line import parser_of
from pipeline.release.handoff import page
from pipeline.settings.load import load_settings
from runbook.symptoms import SYMPTOMS

_COMMAND = re.compile(r"(?:^|(?<=[`&;|] )|(?<=`))distill ([a-z][^`&|;>\n]*)", re.MULTILINE)


def parse(command: str) -> None:
    """Raises SettingsError for what the parser refuses."""
    name, *words = shlex.split(command)
    if "--help" not in words:
        parser_of(BY_NAME[name]).parse_args(words)


def said_in(text: str) -> Iterator[str]:
    yield from (found.strip() for found in _COMMAND.findall(text))


def test_what_is_not_there_is_found() -> None:
    with pytest.raises(SettingsError):
        parse("release-freeze --check tests")
    assert [*said_in("see `distill restore PATH` or\ndistill run-all && distill audit-full")] == [
        "restore PATH",
        "run-all",
        "audit-full",
    ]


@pytest.mark.parametrize("spec", [*ACCEPTANCE, *AUDIT, *GATES], ids=lambda spec: spec.id)
def test_the_command_that_asks_a_check_again_is_taken(spec: CheckSpec) -> None:
    [command] = said_in(spec.reproduce)
    parse(command)


def test_every_command_of_the_hand_off_page_is_taken(tmp_path: Path) -> None:
    (tmp_path / "distill.toml").write_text("")
    found = [*said_in(page(tmp_path, load_settings(tmp_path).settings))]
    assert len(found) > 10
    for command in found:
        parse(command)


def test_every_command_of_the_runbooks_pages_is_taken() -> None:
    found = [
        each for symptom in SYMPTOMS for line in symptom.by_hand for each in said_in(line.command_for("v1"))
    ]
    assert len(found) > 30
    for command in found:
        parse(command)
