"""A measured figure, its goal, and the two tables made of them: on screen and in docs."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """``value`` and ``limit`` have the same unit; ``higher_is_better`` says which side is good.

    Without a limit the figure is only stated.
    """

    what: str
    value: float
    limit: float | None
    unit: str
    higher_is_better: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return "stated"
        if self.limit == 0:
            return "missed" if self.value > 0 else "reached"
        short = self.limit / self.value if self.higher_is_better else self.value / self.limit
        return "reached" if short <= 1 else f"missed by {100 * (short - 1):.0f} %"

    @property
    def goal(self) -> str:
        if self.limit is None:
            return "none"
        return f"{'≥' if self.higher_is_better else '≤'} {_number(self.limit)}{self.unit}"

    @property
    def measured(self) -> str:
        return f"{_number(self.value)}{self.unit}"


@dataclass(frozen=True)
class Table:
    title: str
    explanation: str
    figures: tuple[Figure, ...]


def as_markdown(tables: Sequence[Table], facts: Sequence[str]) -> str:
    """The page docs/benchmarks.md."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; do not edit. Figures are ratios taken in one run on one machine, so that",
        "they can be compared with a run on another. A figure that was missed stays, with by how much.",
        "",
        *(f"- {fact}" for fact in facts),
    ]
    for table in tables:
        lines += ["", f"## {table.title}", "", table.explanation, ""]
        lines += ["| what | measured | goal | verdict | note |", "|---|---|---|---|---|"]
        lines += [
            f"| {figure.what} | {figure.measured} | {figure.goal} | {figure.verdict} | {figure.note} |"
            for figure in table.figures
        ]
    return "\n".join(lines) + "\n"


def as_text(tables: Sequence[Table]) -> str:
    """The same tables for a terminal of 100 columns."""
    lines: list[str] = []
    for table in tables:
        lines += ["", table.title]
        width = max(len(figure.what) for figure in table.figures)
        lines += [
            f"  {figure.what:<{width}}  {figure.measured:>10}  {figure.goal:>10}  {figure.verdict}"
            for figure in table.figures
        ]
    return "\n".join(lines).lstrip("\n")


def machine_facts() -> list[str]:
    """What a reader needs to judge the figures, and nothing that names the machine."""
    kind = f"{platform.system()} {platform.machine()}"
    return [f"{os.cpu_count()} cores, Python {platform.python_version()}, {kind}"]


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
