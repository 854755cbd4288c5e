from __future__ import annotations

from pathlib import Path

import pytest

from console.batch.parts import BY_DEFAULT, Part, argv_of, select
from pipeline.contracts.faults import SettingsError


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
