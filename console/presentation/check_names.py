"""What checks and gates are called beside their ids."""

from __future__ import annotations

from pipeline.contracts.check_index import ACCEPTANCE, GATES

INVARIANTS = {spec.id: spec.title for spec in ACCEPTANCE}
GATE_SPECS = {spec.id: spec for spec in GATES}


def full_name(check_id: str) -> str:
    """``A13 firewall-blocks``; an id that says enough, or that is not known, stands alone."""
    name = INVARIANTS.get(check_id)
    return f"{check_id} {name}" if name else check_id
