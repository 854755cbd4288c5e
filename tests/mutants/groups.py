"""Which mutants break one engine together: a gate asks as long of one as of many.

They are asked the same. Those that turn the same invariants red go together first: what stays green is then
shown of each of them as if it were alone, and the gate's own words tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.contracts.check_index import ACCEPTANCE
from tests.mutants.mutant import Mutant
from tests.mutants.mutants import MUTANTS

# A check shows ten examples, and each mutant gives two or three.
SIZE = 5


def asked_of(mutant: Mutant) -> list[str]:
    """The invariants that a mutant is held to.

    A20 is asked only of mutants of the code that commits: it kills the engine at each commit point, which
    takes as long as the other 21 together. A19 is not asked of the firewall's: it compares rows and hashes of
    runs in other surroundings, and the firewall makes neither.
    """
    commits = mutant.file.startswith(("engine/commit", "engine/intent", "engine/staged", "storage/"))
    left_out = {"A19"} if mutant.installed else set()
    if not commits:
        left_out.add("A20")
    return [spec.id for spec in ACCEPTANCE if spec.id not in left_out or spec.id in mutant.red]


def _groups() -> Iterator[tuple[Mutant, ...]]:
    left = list(MUTANTS)
    while left:
        first = left.pop(0)
        group = [first]
        for mutant in sorted(left, key=lambda other: len(set(first.red) ^ set(other.red))):
            if len(group) < SIZE and all(_go_together(mutant, other) for other in group):
                group.append(mutant)
                left.remove(mutant)
        yield tuple(group)


def _go_together(one: Mutant, other: Mutant) -> bool:
    return (
        not (one.alone or other.alone)
        and one.id not in other.apart
        and other.id not in one.apart
        and one.installed == other.installed
        and asked_of(one) == asked_of(other)
        and not set(one.says) & set(other.says)
    )


GROUPS = tuple(_groups())
