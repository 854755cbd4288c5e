"""The verdicts, counted from the files without the scorer, and the scorer asked directly.

Counted: how many of each category and for which reasons, and what is missing. Asked: the scorer's own
tests on the fixture, and why one run has its verdict.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.platform import disk
from pipeline.platform.lenient_json import rows
from runbook.probes.check_reports import look_again
from runbook.probes.code_history import code_history
from runbook.probes.evidence import Record
from runbook.probes.looks import Probe, record_probe
from runbook.probes.workspace import Workspace

VERDICTS = "verdicts"
_COUNTED = "The verdicts, counted"


class Counts(Record):
    """``unscored`` and ``orphans`` are rows without their counterpart."""

    evidence: int = 0
    scored: int = 0
    categories: dict[str, int] = Field(default_factory=dict)
    reasons: dict[str, int] = Field(default_factory=dict)
    unscored: int = 0
    unscored_streams: tuple[str, ...] = ()
    orphans: int = 0

    @property
    def accepted(self) -> int:
        return self.categories.get("accepted", 0)

    @property
    def told(self) -> tuple[str, ...]:
        shares = ", ".join(f"{name} {count:,}" for name, count in self.categories.items()) or "none"
        why = ", ".join(f"{name} {count:,}" for name, count in self.reasons.items())
        lines = [
            f"{self.evidence:,} evidence rows, {plural(self.scored, 'verdict')}: {shares}",
            f"decided by: {why or 'nothing'}",
            f"{plural(self.unscored, 'row')} without a verdict, "
            f"{plural(self.orphans, 'verdict')} without a row",
        ]
        return tuple(lines)


def verdicts_probe() -> Probe:
    """The probe that finds ``Counts``."""
    return record_probe(
        VERDICTS, _COUNTED, 120.0, lambda workspace, _: counted(workspace.root), lambda found: found.told
    )


def counted(root: Path) -> Counts:
    scored: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for row in _rows(root / paths.SCORED_RUNS):
        scored[str(row.get("run_id"))] += 1
        categories[str(row.get("category"))] += 1
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
        unscored=unscored.total(),
        unscored_streams=tuple(unscored),
        orphans=sum(run_id not in seen for run_id in scored),
    )


def first_run_id(root: Path) -> str | None:
    """The run of the first evidence row."""
    row = next(_rows(root / paths.EVIDENCE), None)
    return None if row is None else str(row.get("run_id"))


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.rglob("*.jsonl")):
        with disk.open_to_read(path) as file:
            yield from rows(file)


EXPLAINED = "scorer"
SCORER = ("pipeline/stages", "pipeline/engine")
# Categories exact, thresholds bite, an override wins, contradictions go to review.
TESTS = ("A09", "A10", "A11", "A12")
_ASKED = "The scorer's own tests, and one verdict explained"
_EXPLAIN_SECONDS = 60.0


class ScorerLook(Record):
    """``failed`` and ``passed`` are the scorer's tests; they run only where its code changed."""

    failed: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    run_id: str | None = None
    category: str = ""
    reason: str = ""
    is_outdated: bool = False
    explained: tuple[str, ...] = ()


def scorer_probe() -> Probe:
    """The probe that finds a ``ScorerLook``."""
    return record_probe(EXPLAINED, _ASKED, 180.0, _looked, _answers)


def _answers(found: ScorerLook) -> list[str]:
    tests = [f"{each} fails" for each in found.failed] + [f"{each} passes" for each in found.passed]
    return [*tests, *found.explained] or ["nothing to explain"]


def _looked(workspace: Workspace, seconds: float) -> ScorerLook:
    found = ScorerLook()
    if code_history(workspace, SCORER).of_phase("P3"):
        checks = look_again(workspace, TESTS, seconds=seconds)
        found = found.model_copy(
            update={
                "failed": tuple(f"{each.id}: {each.detail}" for each in checks.values() if each.is_red),
                "passed": tuple(each.id for each in checks.values() if each.status == "pass"),
            }
        )
    sample = first_run_id(workspace.root)
    if sample is None:
        return found
    ran = workspace.engine(["explain", sample, "--json"], seconds=_EXPLAIN_SECONDS)
    try:
        told: dict[str, Any] = json.loads(ran.stdout)
        rules = tuple(
            f"{'YES' if each['fired'] else 'no '} {each['reason']}: {each['why']}" for each in told["rules"]
        )
        return found.model_copy(
            update={
                "run_id": sample,
                "category": str(told["category"]),
                "reason": str(told["reason"]),
                "is_outdated": bool(told["is_outdated"]),
                "explained": (f"{sample} is {told['category']} by {told['reason']}", *rules),
            }
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return found.model_copy(update={"explained": (ran.reason,)})
