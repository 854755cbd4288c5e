"""Each invariant can fail: a broken engine turns exactly the invariant red that its fault belongs to.

Every mutant goes through the gate, so that the others are shown to stay green. A20 alone is asked
only of mutants of the code that commits: it kills the engine at each commit point, which takes as
long as the other 21 together.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts.check_index import ACCEPTANCE
from tests.mutants import passed_before
from tests.mutants.broken_engine import PACKAGE, accept, engine_with, red
from tests.mutants.mutants import MUTANTS, Mutant
from tests.mutants.passed_before import has_passed, keep

# Checks of the firewall, each with how often A14 fails without it, and what it says then.
TOLD = {
    "reads-no-verdict-of-a-pair-or-playbook": (2, "is not seen by the wall `lineage`"),
    "overlooks-members-of-another-name": (1, "a text in a member of another name is not seen"),
    "believes-the-receipt-of-a-formatted-file": (1, "is not seen by the wall `lineage`"),
}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_what_a_mutant_edits_is_there_once(mutant: Mutant) -> None:
    assert (PACKAGE / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
    assert mutant.old != mutant.new


def test_every_invariant_has_a_mutant_that_turns_nothing_else_red() -> None:
    alone = {mutant.red[0] for mutant in MUTANTS if len(mutant.red) == 1}
    assert alone == {spec.id for spec in ACCEPTANCE}


def test_a_mutant_that_turns_several_red_says_why() -> None:
    for mutant in MUTANTS:
        assert bool(mutant.why_more) is (len(mutant.red) > 1), mutant.id
    assert len({mutant.id for mutant in MUTANTS}) == len(MUTANTS)


def asked_of(mutant: Mutant) -> list[str]:
    """The invariants that a mutant is held to."""
    commits = mutant.file.startswith(("engine/commit", "engine/intent", "engine/staged", "storage/"))
    with_kills = commits or "A20" in mutant.red
    return [spec.id for spec in ACCEPTANCE if spec.id != "A20" or with_kills]


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_broken_engine_turns_exactly_its_invariant_red(mutant: Mutant, tmp_path: Path) -> None:
    if has_passed(mutant.id):
        pytest.skip("passed with these very bytes; CI=true runs it all the same")
    engine = engine_with(mutant, tmp_path / "engine")
    options = [word for each in asked_of(mutant) for word in ("--check", each)]
    report = accept(engine, tmp_path / "run" / "workspace", *options, installed=mutant.installed)
    assert [check["id"] for check in report["checks"]] == asked_of(mutant)
    assert tuple(red(report)) == mutant.red, red(report)
    assert report["exit_code"] == 1
    failing = [check for check in report["checks"] if check["id"] in mutant.red]
    assert all(check["status"] == "fail" and check["examples"] for check in failing)
    if mutant.id in TOLD:
        ((check,), (failed, words)) = failing, TOLD[mutant.id]
        assert check["failed"] == failed
        assert all(words in example["text"] for example in check["examples"])
    keep(mutant.id)


def test_a_pass_is_kept_until_a_byte_changes_and_never_in_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passed_before, "CACHE", tmp_path / "kept")
    monkeypatch.setattr(passed_before, "PACKAGE", tmp_path / "engine")
    monkeypatch.delenv("CI", raising=False)
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine/a.py").write_text("1")
    passed_before.digest.cache_clear()
    try:
        assert not has_passed("m")
        keep("m")
        assert has_passed("m")
        assert not has_passed("another")
        monkeypatch.setenv("CI", "true")
        assert not has_passed("m")
        monkeypatch.delenv("CI")
        (tmp_path / "engine/a.py").write_text("2")
        passed_before.digest.cache_clear()
        assert not has_passed("m")
    finally:
        passed_before.digest.cache_clear()
