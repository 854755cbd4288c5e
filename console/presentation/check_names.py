"""What checks and gates are called beside their ids.

Copied from the engine's registries, which the console does not import: a broken engine must not
keep it from starting. ``tests/console/presentation/test_check_names.py`` keeps the copies equal.
"""

from __future__ import annotations

INVARIANTS = {
    "A01": "isolated",
    "A02": "bad-settings-write-nothing",
    "A03": "golden-rows",
    "A04": "lines-conserved",
    "A05": "hostile-input",
    "A06": "provenance-resolves",
    "A07": "duplicates-collapse",
    "A08": "rerun-idempotent",
    "A09": "categories-exact",
    "A10": "thresholds-bite",
    "A11": "override-wins",
    "A12": "contradictions-reviewed",
    "A13": "firewall-blocks",
    "A14": "firewall-sees-laundering",
    "A15": "pairs-sound",
    "A16": "rag-clean",
    "A17": "quarantine-balances",
    "A18": "receipts-recompute",
    "A19": "run-hash-stable",
    "A20": "crash-safe",
    "A21": "replay-retrieves",
    "A22": "replay-rejects",
}
GATES = {
    "git_clean": "clean state",
    "tests": "test suite",
    "phase_commits": "phase commits",
    "acceptance": "acceptance",
    "audit_full": "full audit",
    "tag_free": "free tag",
}
GATES_PROVE = {
    "git_clean": "What is released is what is committed.",
    "tests": "The workspace's own contract tests pass.",
    "phase_commits": "Each phase's commit is in the history of HEAD.",
    "acceptance": "22 of 22 invariants hold.",
    "audit_full": "Every required check of the audit passes.",
    "tag_free": "The tag does not exist yet.",
}


def full_name(check_id: str) -> str:
    """``A13 firewall-blocks``; an id that says enough, or that is not known, stands alone."""
    name = INVARIANTS.get(check_id)
    return f"{check_id} {name}" if name else check_id
