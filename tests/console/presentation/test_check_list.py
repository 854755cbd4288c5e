"""What stands beside a check's id."""

from __future__ import annotations

from console.presentation.checks import full_name


def test_an_invariant_is_named_beside_its_id() -> None:
    assert full_name("A13") == "A13 firewall-blocks"
    assert full_name("P4.sft-firewall") == "P4.sft-firewall"
