"""What checks and gates are called beside their ids.

Gates are copied from the engine's, which the console does not import: a broken engine must not
keep it from starting. ``tests/console/presentation/test_check_names.py`` keeps the copy equal.
"""

from __future__ import annotations

from pipeline.contracts.check_index import ACCEPTANCE

INVARIANTS = {spec.id: spec.title for spec in ACCEPTANCE}
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
