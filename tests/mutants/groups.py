"""Which mutants break one engine together: a gate asks as long of one as of three.

They edit different files, are asked the same, and turn different invariants red. Those of the firewall all
turn A14 red, and are told apart by what it says of each.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.contracts.check_index import ACCEPTANCE
from tests.mutants.mutants import MUTANTS, Mutant

SIZE = 3


def asked_of(mutant: Mutant) -> list[str]:
    """The invariants that a mutant is held to.

    A20 is asked only of mutants of the code that commits: it kills the engine at each commit point, which
    takes as long as the other 21 together.
    """
    commits = mutant.file.startswith(("engine/commit", "engine/intent", "engine/staged", "storage/"))
    with_kills = commits or "A20" in mutant.red
    return [spec.id for spec in ACCEPTANCE if spec.id != "A20" or with_kills]


def _groups() -> Iterator[tuple[Mutant, ...]]:
    left = list(MUTANTS)
    while left:
        group = [left.pop(0)]
        for mutant in list(left):
            if len(group) < SIZE and all(_go_together(mutant, other) for other in group):
                group.append(mutant)
                left.remove(mutant)
        yield tuple(group)


def _go_together(one: Mutant, other: Mutant) -> bool:
    return (
        not (one.alone or other.alone)
        and one.installed == other.installed
        and asked_of(one) == asked_of(other)
        and one.file != other.file
        and not set(one.says) & set(other.says)
        and (one.installed or not set(one.red) & set(other.red))
    )


GROUPS = tuple(_groups())
