"""Which parts run, and one exit code and one line for whatever they found."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.batch.outcome import PartState, exit_code, verdict_line
from console.batch.parts import BY_DEFAULT, Part, argv_of, select
from pipeline.contracts.faults import ExitCode, SettingsError
from tests.console.batch.outcomes import HOSTILE, batch, part

# The verdict


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


# The parts


def test_everything_but_determinism_runs_by_default() -> None:
    chosen = select([], [], determinism=False)
    assert chosen.wanted == (Part.STANDING, *BY_DEFAULT)
    assert chosen.skipped == ()
    assert Part.DETERMINISM not in BY_DEFAULT


def test_determinism_is_added_where_it_belongs() -> None:
    assert select([], [], determinism=True).wanted == tuple(Part)


def test_skip_takes_lists_and_may_be_repeated() -> None:
    chosen = select([], ["acceptance,audit-full", "symptoms"], determinism=False)
    assert chosen.wanted == (Part.STANDING, Part.RUN_ALL, Part.FIREWALL)
    assert chosen.skipped == (Part.ACCEPTANCE, Part.AUDIT, Part.SYMPTOMS)


def test_only_leaves_the_others_out_and_says_so() -> None:
    chosen = select(["firewall"], [], determinism=False)
    assert chosen.wanted == (Part.FIREWALL,)
    assert set(chosen.skipped) == set(BY_DEFAULT) - {Part.FIREWALL}


def test_the_firewall_looks_at_what_stands_wherever_a_run_would_replace_it() -> None:
    assert select([], [], determinism=False).wanted[:3] == (Part.STANDING, Part.RUN_ALL, Part.FIREWALL)
    for only, skip in ((["firewall"], []), (["run-all"], []), ([], ["firewall"])):
        chosen = select(only, skip, determinism=False)
        assert Part.STANDING not in (*chosen.wanted, *chosen.skipped)
    with pytest.raises(SettingsError):
        select([], ["firewall-before"], determinism=False)


@pytest.mark.parametrize(("only", "skip"), [(["lint"], []), ([], ["lint"]), (["firewall"], ["firewall"])])
def test_an_unknown_part_or_nothing_to_run_is_a_usage_error(only: list[str], skip: list[str]) -> None:
    with pytest.raises(SettingsError):
        select(only, skip, determinism=False)


def test_acceptance_is_run_once_and_handed_on_to_the_audit(tmp_path: Path) -> None:
    report = tmp_path / "phase6.json"
    argv = argv_of(Part.AUDIT, tmp_path, tmp_path / "e", acceptance_report=report)
    assert argv[argv.index("--acceptance-report") + 1] == str(report)
    alone = argv_of(Part.AUDIT, tmp_path, tmp_path / "e", acceptance_report=None)
    assert "--acceptance-report" not in alone


def test_symptoms_are_looked_for_and_not_only_read(tmp_path: Path) -> None:
    argv = argv_of(Part.SYMPTOMS, tmp_path, tmp_path / "e", acceptance_report=None)
    assert argv[-3:] == ["--json", "runbook", "detect"]
