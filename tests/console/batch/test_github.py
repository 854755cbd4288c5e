from __future__ import annotations

import re

from console.batch.github import MAX_ANNOTATIONS, workflow_commands
from console.batch.parts import Part
from pipeline.contracts.checks import CheckStatus
from tests.console.batch.outcomes import batch, check, hostile_batch, part

_COMMAND = re.compile(r"::(error|warning|notice) title=([^:,\n\r]*)::([^\n\r]*)\Z")


def test_a_failed_check_is_an_error_with_the_command_that_shows_it_again() -> None:
    bad = check("P2.provenance", CheckStatus.FAIL, detail="50% gone")
    (line,) = workflow_commands(batch(part(Part.AUDIT, 1, checks=(bad,))))
    assert line == (
        "::error title=P2.provenance::fail: 50%25 gone · distill audit-full --check P2.provenance"
    )


def test_nine_are_shown_and_the_tenth_says_how_many_more() -> None:
    bad = tuple(check(f"P2.c{n}", CheckStatus.FAIL) for n in range(14))
    lines = workflow_commands(batch(part(Part.AUDIT, 1, checks=bad)))
    assert len(lines) == MAX_ANNOTATIONS + 1 == 10
    assert lines[-1] == "::notice title=distill::5 more in report.json"


def test_errors_come_before_warnings() -> None:
    lines = workflow_commands(batch(part(Part.RUN_ALL, 0, warnings=("slow",)), part(Part.FIREWALL, 10)))
    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning"]


def test_hostile_texts_begin_no_command_of_their_own() -> None:
    lines = workflow_commands(hostile_batch())
    assert lines
    for line in lines:
        assert _COMMAND.match(line), line
        assert "##[" not in line


def test_a_good_batch_has_nothing_to_annotate() -> None:
    assert workflow_commands(batch()) == []
