"""The console's copies of what the engine's registries say."""

from __future__ import annotations

from console.presentation import check_names
from pipeline.release.gates import GATES


def test_the_gates_are_called_and_ordered_as_in_the_registry() -> None:
    assert [(gate.id, gate.title, gate.what_it_proves) for gate in GATES] == [
        (name, title, check_names.GATES_PROVE[name]) for name, title in check_names.GATES.items()
    ]


def test_an_invariant_is_named_beside_its_id() -> None:
    assert check_names.full_name("A13") == "A13 firewall-blocks"
    assert check_names.full_name("P4.sft-firewall") == "P4.sft-firewall"
