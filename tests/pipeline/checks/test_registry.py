"""Checks are added to the two lists; those that are there keep their ids, order and meaning."""

from __future__ import annotations

import pytest

from pipeline.contracts.check_index import ACCEPTANCE, AUDIT, INVARIANTS, selected, source_check
from pipeline.contracts.faults import SettingsError

AUDIT_IDS = [
    "P0.recon-doc",
    "P1.versions-pinned",
    "P1.validators-hold",
    "P2.dry-run",
    "P2.conserves",
    "P2.provenance",
    "P3.distribution",
    "P3.coverage",
    "P4.sft-firewall",
    "P4.preference-pairs",
    "P4.exports-valid",
    "P4.quarantine-balances",
    "P5.summary-valid",
    "P5.receipts-match",
    "P6.acceptance",
    "P7.replay",
]


def test_the_audit_keeps_the_sixteen_required_checks_in_their_order() -> None:
    assert [spec.id for spec in AUDIT if spec.id in AUDIT_IDS] == AUDIT_IDS
    assert all(spec.required for spec in AUDIT if spec.id in AUDIT_IDS)
    phases = [spec.phase for spec in AUDIT]
    assert phases == sorted(phases)


def test_acceptance_has_twenty_two_numbered_invariants() -> None:
    assert [spec.id for spec in ACCEPTANCE] == [f"A{number:02}" for number in range(1, 23)]
    assert all(spec.required and spec.phase == "P6" for spec in ACCEPTANCE)
    assert len({spec.title for spec in ACCEPTANCE}) == 22


def test_each_check_names_the_command_that_runs_it_alone() -> None:
    (provenance,) = (spec for spec in AUDIT if spec.id == "P2.provenance")
    assert provenance.reproduce == "distill audit-full --check P2.provenance"
    assert ACCEPTANCE[12].reproduce == "distill acceptance --check A13"


def test_zero_rows_fail_just_where_rows_are_the_question() -> None:
    known = [spec for spec in (*AUDIT, *ACCEPTANCE) if spec.id in (*AUDIT_IDS, *INVARIANTS)]
    zero_fails = {spec.id for spec in known if spec.zero_fails}
    assert zero_fails == {"P0.recon-doc", "P2.dry-run", "P3.distribution", "P7.replay"}


def test_the_source_checks_are_informational() -> None:
    assert source_check("chats").id == "P0.source-chats"
    assert source_check("chats").required is False


def test_a_selection_keeps_the_order_of_the_list() -> None:
    chosen = selected(AUDIT, ["P7.replay", "P0.recon-doc"])
    assert [spec.id for spec in chosen] == ["P0.recon-doc", "P7.replay"]


def test_a_check_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(SettingsError) as raised:
        selected(AUDIT, ["P2.provenence"])
    assert "P2.provenence" in raised.value.fault.what_happened
    assert "P2.provenance" in raised.value.fault.do_next
