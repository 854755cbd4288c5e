"""docs/mutants.md: the table of a run."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from tests.mutation.equivalents import one_line
from tests.mutation.record import Result, table

_PAGE = """\
# Tests that notice

What `make mutants` found on the day of the table. One place of the product's code is changed in a copy of
the checkout: a comparison turned, a `not`, a guard or a call dropped, two arguments swapped, an `and` made
an `or`, a number raised by one, a function ended early. Then the tests run that import the module, or one
that imports it; those marked `slow` only where there are no others. The sample is drawn by the seed, as many
changes from each package as from any other.

A change is *noticed* when a test fails with it, passes without it, and fails with it once more, so that a
busy machine is never taken for a test. It is *equivalent* when it behaves as what stood there; each is
listed with its reason. *Unclear* is one whose tests do not end, or fail, without the change as well.

The goal is nine of ten, and four of five in each package, equivalents left aside.

"""


def page(results: Sequence[Result], drawn: int, seed: int, day: str) -> str:
    """``drawn`` is how many changes the sample has; those that were not come to are no results."""
    noticed = sum(each.verdict == "killed" for each in results)
    of = noticed + sum(each.verdict == "survived" for each in results)
    lines = [
        f"Seed {seed}, {day}, Python {sys.version.split()[0]}. Of {drawn} changes {len(results)} were tried; "
        f"{noticed} of {of} were noticed.",
        "",
    ]
    lines += table(results)
    lines += _listed("Not noticed", results, "survived")
    lines += _listed("Unclear", results, "unclear")
    lines += _listed("Equivalent", results, "equivalent")
    return _PAGE + "\n".join(lines) + "\n"


def _listed(title: str, results: Iterable[Result], verdict: str) -> list[str]:
    rows = [each for each in results if each.verdict == verdict]
    if not rows:
        return []
    lines = ["", f"## {title}", ""]
    for each in sorted(rows, key=lambda row: (row.module, row.line)):
        reason = f" {each.by}" if each.by else ""
        lines.append(f"- `{each.module}`, {each.kind}: {_code(each.before)} → {_code(each.after)}.{reason}")
    return lines


def _code(text: str) -> str:
    """As code; the words themselves may hold a backtick."""
    return f"`` {one_line(text)[:150]} ``"
