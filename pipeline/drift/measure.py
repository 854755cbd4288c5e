"""The metrics of a workspace, counted from its files; no receipt is believed.

A count has a breakdown by stream, model or reason, whose parts add up to it. A rate's breakdown
holds each part's numerator over the whole denominator, so its parts add up to the rate.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

import orjson

from pipeline.contracts import paths
from pipeline.contracts.categories import CATEGORIES
from pipeline.engine.chunks import unreadable_source
from pipeline.platform import disk
from pipeline.settings.model import Settings
from pipeline.stages.refusals import LATER_RULES

Kind = Literal["count", "rate", "size"]


@dataclass
class Metrics:
    """``breakdown`` maps a metric to parts called ``dimension:name``."""

    values: dict[str, float] = field(default_factory=dict)
    phases: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    denominators: dict[str, int] = field(default_factory=dict)
    breakdown: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(
        self,
        name: str,
        phase: str,
        value: float,
        kind: Kind = "count",
        *,
        of: int | None = None,
        parts: dict[str, float] | None = None,
    ) -> None:
        self.values[name] = value
        self.phases[name] = phase
        self.kinds[name] = kind
        if of is not None:
            self.denominators[name] = of
        if parts:
            self.breakdown[name] = dict(sorted(parts.items()))


def measure(workspace: Path, settings: Settings) -> Metrics:
    """Every metric. Files that are missing count as empty; lines that are no JSON are left out.

    Raises InputError when a file cannot be read.
    """
    metrics = Metrics()
    _count_skips(workspace, metrics)
    models = _count_evidence(workspace, settings, metrics)
    _count_verdicts(workspace, settings, metrics, models)
    _count_exports(workspace, metrics)
    return metrics


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file of rows, one at a time."""
    try:
        with disk.open_to_read(path) as file:
            for line in disk.lines_in(file, path):
                try:
                    row = orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue
                if isinstance(row, dict):
                    yield row
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable_source(path, error) from error


def _count_skips(workspace: Path, metrics: Metrics) -> None:
    parts: Counter[str] = Counter()
    duplicates: Counter[str] = Counter()
    total = 0
    for row in read_rows(workspace / paths.DISTILLATION_SKIPS):
        total += 1
        stream, reason = f"stream:{row.get('stream')}", str(row.get("reason"))
        parts.update((stream, f"reason:{reason}"))
        if reason == "duplicate_line":
            duplicates[stream] += 1
    metrics.add("skips", "P2", total, parts=dict(parts))
    metrics.add("duplicates", "P2", duplicates.total(), parts=dict(duplicates))


def _count_evidence(workspace: Path, settings: Settings, metrics: Metrics) -> dict[str, str]:
    """Evidence metrics; returns the model of each run, to break verdicts down by it."""
    parts: Counter[str] = Counter()
    by_stream: Counter[str] = Counter()
    lengths: list[int] = []
    models: dict[str, str] = {}
    for stream in _sources(settings):
        by_stream[stream] = 0
        for row in read_rows(workspace / paths.evidence_file(stream)):
            by_stream[stream] += 1
            model = str(row.get("model_name") or "unnamed")
            parts[f"model:{model}"] += 1
            models[str(row.get("run_id"))] = model
            if isinstance(response := row.get("response"), str):
                lengths.append(len(response))
    parts.update({f"stream:{stream}": count for stream, count in by_stream.items()})
    metrics.add("evidence_rows", "P2", by_stream.total(), parts=dict(parts))
    for stream, count in by_stream.items():
        metrics.add(f"stream.{stream}.rows", "P2", count)
    if lengths:
        metrics.add("response_length_median", "P2", float(median(lengths)), "size")
    return models


def _count_verdicts(workspace: Path, settings: Settings, metrics: Metrics, models: dict[str, str]) -> None:
    categories: Counter[str] = Counter(dict.fromkeys(CATEGORIES, 0))
    parts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    accepted: Counter[str] = Counter()
    scored: Counter[str] = Counter()
    for stream in _sources(settings):
        scored[stream] = accepted[stream] = 0
        for row in read_rows(workspace / paths.scored_file(stream)):
            category = str(row.get("category"))
            categories[category] += 1
            scored[stream] += 1
            accepted[stream] += category == "accepted"
            part = parts[category]
            part[f"stream:{stream}"] += 1
            part[f"model:{models.get(str(row.get('run_id')), 'unnamed')}"] += 1
            for reason in row.get("reasons") or ():
                part[f"reason:{reason}"] += 1
    for category, count in categories.items():
        metrics.add(f"category.{category}", "P3", count, parts=dict(parts[category]))
    total = scored.total()
    if total:
        shares = {f"stream:{stream}": count / total for stream, count in accepted.items()}
        metrics.add("acceptance_rate", "P3", accepted.total() / total, "rate", of=total, parts=shares)
    for stream, count in scored.items():
        if count:
            rate = accepted[stream] / count
            metrics.add(f"stream.{stream}.acceptance_rate", "P3", rate, "rate", of=count)


def _count_exports(workspace: Path, metrics: Metrics) -> None:
    for export, file in paths.EXPORT_FILES.items():
        parts: Counter[str] = Counter()
        total = 0
        for row in read_rows(workspace / file):
            total += 1
            parts[f"stream:{row.get('stream')}"] += 1
            model = row.get("model_name", row.get("chosen_model_name"))
            parts[f"model:{model or 'unnamed'}"] += 1
        metrics.add(f"{export}_rows", "P4", total, parts=dict(parts))
        # A rule that has refused nothing yet is told too: a baseline without it was taken before the rule.
        refused: Counter[str] = Counter(dict.fromkeys(map(reason_part, LATER_RULES), 0))
        count = 0
        for row in read_rows(workspace / paths.QUARANTINE_FILES[export]):
            count += 1
            refused[f"stream:{row.get('stream')}"] += 1
            refused[f"reason:{row.get('reason')}"] += 1
        metrics.add(f"quarantined_{export}", "P4", count, parts=dict(refused))


def phase_of_metric(name: str) -> str:
    """The phase that a metric belongs to, by its name alone: for one that is not measured any more."""
    if name.endswith("acceptance_rate") or name.startswith("category."):
        return "P3"
    exports = {f"{export}_rows" for export in paths.EXPORT_FILES}
    return "P4" if name in exports or name.startswith("quarantined_") else "P2"


def reason_part(reason: str) -> str:
    """How a breakdown names the rows that were refused for ``reason``."""
    return f"reason:{reason}"


def _sources(settings: Settings) -> list[str]:
    return [stream.name for stream in settings.streams if stream.role == "source"]
