"""What stands in the scored runs: how many of each category and for which reasons, and what is missing.

Counted here from the files, without the engine whose scorer may be what is broken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.contracts import paths
from pipeline.contracts.categories import CATEGORIES
from pipeline.platform.lenient_json import rows
from runbook.probes.evidence import ProbeOutput, Record
from runbook.probes.workspace import Workspace
from runbook.symptom import Probe

PROBE = "verdicts"
_TITLE = "The verdicts, counted"


class Counts(Record):
    """``unscored`` and ``orphans`` are rows without their counterpart;"""

    evidence: int = 0
    scored: int = 0
    categories: dict[str, int] = Field(default_factory=dict)
    reasons: dict[str, int] = Field(default_factory=dict)
    versions: dict[str, int] = Field(default_factory=dict)
    unscored: int = 0
    unscored_streams: tuple[str, ...] = ()
    orphans: int = 0
    doubled: int = 0

    @property
    def accepted(self) -> int:
        return self.categories.get("accepted", 0)

    @property
    def unknown_categories(self) -> list[str]:
        return sorted(set(self.categories) - set(CATEGORIES))

    @property
    def told(self) -> tuple[str, ...]:
        shares = ", ".join(f"{name} {count:,}" for name, count in self.categories.items()) or "none"
        why = ", ".join(f"{name} {count:,}" for name, count in self.reasons.items())
        lines = [
            f"{self.evidence:,} evidence rows, {self.scored:,} verdicts: {shares}",
            f"decided by: {why or 'nothing'}",
            f"{self.unscored:,} rows without a verdict, {self.orphans:,} verdicts without a row",
        ]
        return tuple(lines)


def verdicts_probe() -> Probe:
    """The probe whose output ``read_counts`` understands."""

    def look(workspace: Workspace, _seconds: float) -> ProbeOutput:
        found = counted(workspace.root)
        return ProbeOutput(
            probe_id=PROBE, title=_TITLE, text="\n".join(found.told), data=found.model_dump(mode="json")
        )

    return Probe(PROBE, _TITLE, 120.0, look)


def read_counts(output: ProbeOutput | None) -> Counts | None:
    """What the probe found; None after one that failed."""
    if output is None or output.data is None:
        return None
    return Counts.model_validate(output.data)


def counted(root: Path) -> Counts:
    scored: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    versions: Counter[str] = Counter()
    for row in _rows(root / paths.SCORED_RUNS):
        scored[str(row.get("run_id"))] += 1
        categories[str(row.get("category"))] += 1
        versions[str(row.get("scorer_version"))] += 1
        listed = row.get("reasons")
        reasons.update(str(each) for each in (listed if isinstance(listed, list) else ()))
    seen: set[str] = set()
    unscored: Counter[str] = Counter()
    rows = 0
    for row in _rows(root / paths.EVIDENCE):
        rows += 1
        run_id = str(row.get("run_id"))
        seen.add(run_id)
        if run_id not in scored:
            unscored[str(row.get("stream"))] += 1
    return Counts(
        evidence=rows,
        scored=scored.total(),
        categories=dict(categories.most_common()),
        reasons=dict(reasons.most_common()),
        versions=dict(versions),
        unscored=unscored.total(),
        unscored_streams=tuple(unscored),
        orphans=sum(run_id not in seen for run_id in scored),
        doubled=sum(count > 1 for count in scored.values()),
    )


def first_run_id(root: Path) -> str | None:
    """The run of the first evidence row."""
    row = next(_rows(root / paths.EVIDENCE), None)
    return None if row is None else str(row.get("run_id"))


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.rglob("*.jsonl")):
        with path.open("rb") as file:
            yield from rows(file)
