"""PURE: Prometheus' text format, as the textfile collector reads it.

No timestamps (the collector refuses a file that has one), HELP and TYPE before the samples of a
family, label values escaped, a newline at the end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.contracts.untrusted import visible

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
LABEL_CHARACTERS = 200


@dataclass
class Family:
    """One metric. Every one of ours is a gauge: a file says what is, not what was added."""

    name: str
    help: str
    samples: list[tuple[Mapping[str, str], float]] = field(default_factory=list)

    def add(self, value: float | None, **labels: str) -> None:
        """One sample; None is "not known" and leaves no sample, because 0 would be a claim."""
        if value is not None:
            self.samples.append((labels, float(value)))


def exposition(families: Iterable[Family]) -> str:
    """The families that have samples. Raises ValueError for a name that the format has not."""
    lines = []
    for family in families:
        if not _NAME.match(family.name):
            raise ValueError(f"no metric name: {family.name}")
        if not family.samples:
            continue
        help_text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
        lines += [f"# HELP {family.name} {help_text}", f"# TYPE {family.name} gauge"]
        unique = {_labels(labels): value for labels, value in family.samples}
        lines += [f"{family.name}{labels} {_value(value)}" for labels, value in unique.items()]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    # Backslashes first: those of ``visible`` stand for themselves.
    return visible(value, LABEL_CHARACTERS).replace("\\", "\\\\").replace('"', '\\"')


def _value(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)
