"""The file of accepted values: append-only, written by audits, operators and by hand.

Rows are folded in order. An audit's row sets every metric; an accept sets those it names; a
dismissal remembers the value that was seen. A decision that names a metric and holds no value for it
is about one that is gone: accepted, it has no baseline any more. A row that somebody appended by hand
counts too: with ``notes`` and ``metrics`` it accepts those values, with ``notes`` alone the last audit's.
What cannot be read (a torn tail, garbage) is reported and survived.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.engine.chunks import unreadable_source
from pipeline.platform import confined, disk
from pipeline.platform.lenient_json import object_in, objects_of
from pipeline.schemas.baseline import AuditBaseline

_SETS_ALL = ("seed", "passed", "release")
# A passing audit moves the baseline but not the anchor: only a person or a release does that.
_ANCHORS = ("seed", "accept", "release")


@dataclass(frozen=True)
class BaselineValue:
    """An accepted value of one metric, and where it came from."""

    value: float
    line: int
    recorded_at: str
    denominator: int | None
    breakdown: Mapping[str, float]


@dataclass
class Baselines:
    """What the file amounts to."""

    values: dict[str, BaselineValue] = field(default_factory=dict)
    anchors: dict[str, float] = field(default_factory=dict)
    anchor_breakdowns: dict[str, Mapping[str, float]] = field(default_factory=dict)
    history: dict[str, list[float]] = field(default_factory=dict)
    # The value that was seen, None where the metric was gone, and why it was dismissed.
    dismissed: dict[str, tuple[float | None, str]] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.values

    def forget(self, name: str) -> None:
        """The metric has no baseline any more; measured again, it is a new one."""
        for known in (self.values, self.anchors, self.anchor_breakdowns, self.dismissed):
            known.pop(name, None)


def read_baselines(workspace: Path) -> Baselines:
    """Fold the file. Raises InputError only when it cannot be read at all."""
    baselines = Baselines()
    lines = list(_lines(workspace, baselines))
    revoked = {row.get("revokes") for row, _, _ in lines if row.get("kind") == "revoke"}
    for row, number, digest in lines:
        if digest in revoked:
            continue
        baselines.rows.append({**row, "line": number, "line_sha256": digest})
        _fold(baselines, row, number, workspace)
    return baselines


def append(workspace: Path, row: dict[str, Any]) -> str:
    """Append one row that we wrote, validated; returns the SHA-256 of its line. Raises StorageError."""
    AuditBaseline.model_validate(row)
    line = orjson.dumps(row)
    confined.append_line(workspace, paths.AUDIT_BASELINES, line + b"\n")
    return hashlib.sha256(line).hexdigest()


def _lines(workspace: Path, baselines: Baselines) -> Iterator[tuple[dict[str, Any], int, str]]:
    path = workspace / paths.AUDIT_BASELINES
    try:
        data = disk.read_plain(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable_source(path, error) from error
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            baselines.problems.append(f"{paths.AUDIT_BASELINES}:{number} is not JSON; it was ignored")
            continue
        if not isinstance(row, dict):
            baselines.problems.append(f"{paths.AUDIT_BASELINES}:{number} is no object; it was ignored")
            continue
        yield row, number, hashlib.sha256(line).hexdigest()


def _fold(baselines: Baselines, row: dict[str, Any], number: int, workspace: Path) -> None:
    kind = row.get("kind")
    notes = row.get("notes")
    metrics = _numbers(row.get("metrics"))
    if kind is None:
        # By hand. The seed's runbook allows it, so it counts; without notes it explains nothing.
        if not isinstance(notes, str) or not notes.strip():
            baselines.problems.append(
                f"{paths.AUDIT_BASELINES}:{number} has no notes to explain it; it was ignored"
            )
            return
        kind = "accept"
        gone: list[str] = []
        if not metrics:
            metrics = last_audited_values(workspace)
            gone = [name for name in baselines.values if metrics and name not in metrics]
        row = {**row, "decided_metrics": [*metrics, *gone]}
    decided = _names(row.get("decided_metrics"))
    if kind == "dismiss":
        for name in decided or list(metrics):
            baselines.dismissed[name] = (metrics.get(name), str(notes or ""))
        return
    if kind not in (*_SETS_ALL, "accept"):
        return
    if kind in _SETS_ALL:
        decided = []
        for name in set(baselines.values) - set(metrics):
            del baselines.values[name]
            baselines.dismissed.pop(name, None)
    for name in decided:
        if name not in metrics:
            baselines.forget(name)
    for name, value in metrics.items():
        if decided and name not in decided:
            continue
        denominators, breakdown = row.get("denominators"), row.get("breakdown")
        baselines.values[name] = BaselineValue(
            value=value,
            line=number,
            recorded_at=str(row.get("recorded_at") or ""),
            denominator=denominators.get(name) if isinstance(denominators, dict) else None,
            breakdown=_numbers(breakdown.get(name)) if isinstance(breakdown, dict) else {},
        )
        baselines.history.setdefault(name, []).append(value)
        if kind in _ANCHORS:
            baselines.anchors[name] = value
            baselines.anchor_breakdowns[name] = baselines.values[name].breakdown
        baselines.dismissed.pop(name, None)


def last_audited_values(workspace: Path) -> dict[str, float]:
    """The values that the last audit report shows; empty without a readable report."""
    report = object_in(workspace / paths.AUDIT_DATA)
    return _numbers({str(row.get("metric")): row.get("current") for row in objects_of(report, "drift")})


def _numbers(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        return {}
    return {
        str(name): float(number)
        for name, number in value.items()
        if isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
    }


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
