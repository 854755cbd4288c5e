"""Each invariant can fail: a broken engine turns exactly the invariant red that its fault belongs to.

Every mutant goes through the gate, so that the others are shown to stay green. Some break one engine
together: each is known by the words of its own example.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts.check_index import ACCEPTANCE
from tests.mutants import passed_before
from tests.mutants.broken_engine import PACKAGE, accept, engine_with, red
from tests.mutants.groups import GROUPS, SIZE, asked_of
from tests.mutants.mutant import Mutant
from tests.mutants.mutants import MUTANTS
from tests.mutants.passed_before import has_passed, keep

# Checks of the firewall, and how often A14 says so without them.
TOLD = {
    "reads-no-verdict-of-a-pair-or-playbook": 2,
    "overlooks-members-of-another-name": 1,
    "believes-the-receipt-of-a-formatted-file": 2,
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


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0].id)
def test_the_mutants_of_one_engine_can_be_told_apart(group: tuple[Mutant, ...]) -> None:
    assert len(group) <= SIZE
    assert {(mutant.installed, *asked_of(mutant)) for mutant in group} == {
        (group[0].installed, *asked_of(group[0]))
    }
    assert all(len(mutant.says) == len(mutant.red) for mutant in group)
    said = [words for mutant in group for words in mutant.says]
    assert not [one for one in said for other in said if one is not other and one in other]


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: "+".join(mutant.id for mutant in group))
def test_a_broken_engine_turns_exactly_its_invariants_red(group: tuple[Mutant, ...], tmp_path: Path) -> None:
    name = "+".join(mutant.id for mutant in group)
    if has_passed(name):
        pytest.skip("passed with these very bytes; CI=true runs it all the same")
    engine, asked = engine_with(group, tmp_path / "engine"), asked_of(group[0])
    options = [word for each in asked for word in ("--check", each)]
    report = accept(engine, tmp_path / "run" / "workspace", *options, installed=group[0].installed)
    assert [check["id"] for check in report["checks"]] == asked
    assert set(red(report)) == {each for mutant in group for each in mutant.red}, red(report)
    assert report["exit_code"] == 1
    failing = {check["id"]: check for check in report["checks"] if check["id"] in red(report)}
    assert all(check["status"] == "fail" for check in failing.values())
    for mutant in group:
        for invariant, words in zip(mutant.red, mutant.says, strict=True):
            told = [example["text"] for example in failing[invariant]["examples"]]
            assert any(words in text for text in told), (mutant.id, invariant, told)
            if mutant.id in TOLD:
                assert sum(words in text for text in told) == TOLD[mutant.id]
    keep(name)


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
