from __future__ import annotations

import pytest

from console.batch.outcome import PartState, exit_code, verdict_line
from console.batch.parts import Part
from pipeline.contracts.faults import ExitCode
from tests.console.batch.outcomes import HOSTILE, batch, part


def test_all_well_is_0_and_says_what_was_found() -> None:
    found = batch(part(Part.FIREWALL, 0, said="CLEAR"), part(Part.AUDIT, 0, said="16/16"))
    assert exit_code(found) == ExitCode.OK
    assert verdict_line(found) == (
        "batch: PASS (exit 0) · run-all ok · firewall CLEAR · acceptance ok · audit-full 16/16 · "
        "symptoms ok · 41s"
    )


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((0, 10, 1, 3, 5), 10),
        ((0, 0, 1, 3, 5), 1),
        ((0, 0, 0, 3, 5), 3),
        ((0, 0, 0, 0, 5), 5),
        ((3, 10, 0, 0, 0), 10),
        ((75, 10, 0, 0, 0), 75),
    ],
)
def test_the_codes_of_the_parts_follow_the_precedence(codes: tuple[int, ...], expected: int) -> None:
    names = (Part.RUN_ALL, Part.FIREWALL, Part.ACCEPTANCE, Part.AUDIT, Part.SYMPTOMS)
    found = batch(*(part(name, code) for name, code in zip(names, codes, strict=True)))
    assert exit_code(found) == expected
    assert f"(exit {expected})" in verdict_line(found)


def test_warnings_count_only_when_asked_and_lose_against_everything_else() -> None:
    warned = part(Part.AUDIT, 0, warnings=("drift evidence_rows",))
    assert exit_code(batch(warned)) == ExitCode.OK
    assert exit_code(batch(warned, fail_on_warn=True)) == ExitCode.WARNINGS
    assert exit_code(batch(warned, part(Part.FIREWALL, 5), fail_on_warn=True)) == ExitCode.NOT_EVALUATED


def test_a_part_that_ran_out_of_time_is_3_unless_something_worse_was_found_before() -> None:
    late = part(Part.AUDIT, None, state=PartState.TIMED_OUT)
    assert exit_code(batch(late)) == ExitCode.NOT_EVALUABLE
    assert exit_code(batch(late, part(Part.FIREWALL, 10))) == ExitCode.FIREWALL_BREACH
    assert "audit-full TIMED OUT" in verdict_line(batch(late))


def test_what_was_skipped_reads_skipped_and_decides_nothing() -> None:
    found = batch(part(Part.ACCEPTANCE, None))
    assert exit_code(found) == ExitCode.OK
    assert "acceptance skipped" in verdict_line(found)


def test_a_part_says_its_word_once() -> None:
    found = batch(part(Part.FIREWALL, 10, said="BREACH"))
    assert "· firewall BREACH · acceptance" in verdict_line(found)


def test_a_signal_beats_every_part() -> None:
    assert exit_code(batch(part(Part.FIREWALL, 10), stopped_by=143)) == ExitCode.TERMINATED


def test_the_verdict_is_one_line_whatever_a_part_says() -> None:
    line = verdict_line(batch(part(Part.AUDIT, 1, said=HOSTILE)))
    assert "\n" not in line
    assert line.isprintable()
