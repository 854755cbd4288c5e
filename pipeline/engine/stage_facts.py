"""From counters and outputs to what each stage's receipt says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.evidence_fields import FOUND, LOST, rows_by_field
from pipeline.engine.emit import Emitted
from pipeline.engine.mapping import Mapped
from pipeline.engine.receipts import CATEGORY_COUNTS, StageFacts, Timing, claim
from pipeline.engine.reduce import Reducer

EXPORT_KINDS = tuple(paths.EXPORT_FILES)
_LINE_COUNTS = ("lines", "mapped", "looked_up", "skipped", "evidence")


def stage_facts(
    mapped: Mapped,
    reducer: Reducer,
    emitted: Sequence[Emitted],
    stages: Sequence[str],
    map_timing: Timing,
    emit_timing: Timing,
    firewall: dict[str, Any] | None,
    lost: Mapping[str, Mapping[str, int]],
) -> list[StageFacts]:
    """The facts of each stage that ran. ``lost`` is stream → field that no row has any more → rows before.

    P2 and P3 share one pass, and so its duration."""
    facts = []
    if "materialize" in stages:
        inputs = [
            {
                "path": source.file.relative,
                "bytes": source.size,
                "rows": source.rows,
                "sha256": source.sha256,
                "rows_digest": None,
            }
            for source in mapped.sources
        ]
        facts.append(materialize_facts(reducer, emitted, inputs, map_timing, lost))
    evidence = claims_under(emitted, str(paths.EVIDENCE))
    if "score" in stages:
        facts.append(score_facts(reducer.counts, emitted, evidence, map_timing))
    if "export" in stages:
        inputs = [*evidence, *claims_under(emitted, str(paths.SCORED_RUNS))]
        facts.append(export_facts(emitted, inputs, emit_timing, firewall))
    return facts


def claims_under(emitted: Sequence[Emitted], folder: str) -> list[dict[str, Any]]:
    return [
        claim(output) for result in emitted for output in result.outputs if output.relative.startswith(folder)
    ]


def materialize_facts(
    reducer: Reducer,
    emitted: Sequence[Emitted],
    inputs: list[dict[str, Any]],
    timing: Timing,
    lost: Mapping[str, Mapping[str, int]],
) -> StageFacts:
    by_stream = {name: {key: counts[key] for key in _LINE_COUNTS} for name, counts in reducer.counts.items()}
    sums = _sums(by_stream, _LINE_COUNTS)
    for name, of_stream in by_stream.items():
        found = rows_by_field(reducer.fields[name])
        of_stream.update({f"{FOUND}{field}": rows for field, rows in found.items()})
        of_stream.update({f"{LOST}{field}": rows for field, rows in lost.get(name, {}).items()})
    reasons: Counter[str] = Counter()
    for of_stream in reducer.skip_reasons.values():
        reasons.update(of_stream)
    return StageFacts(
        stage="materialize",
        timing=timing,
        inputs=inputs,
        outputs=[
            *claims_under(emitted, str(paths.EVIDENCE)),
            *claims_under(emitted, str(paths.DISTILLATION_SKIPS)),
        ],
        counts=sums,
        reasons=reasons,
        by_stream=by_stream,
    )


def score_facts(
    counts: Mapping[str, Mapping[str, int]],
    emitted: Sequence[Emitted],
    inputs: list[dict[str, Any]],
    timing: Timing,
) -> StageFacts:
    by_stream = {
        name: {key: of_stream.get(key, 0) for key in CATEGORY_COUNTS}
        for name, of_stream in counts.items()
        if of_stream.get("evidence") or not of_stream.get("looked_up")
    }
    totals = _sums(by_stream, CATEGORY_COUNTS)
    rows = sum(totals.values())
    return StageFacts(
        stage="score",
        timing=timing,
        inputs=inputs,
        outputs=claims_under(emitted, str(paths.SCORED_RUNS)),
        counts={"rows_in": rows, "rows_out": rows, "skipped": 0, **totals},
        reasons={},
        by_stream=by_stream,
    )


def export_facts(
    emitted: Sequence[Emitted],
    inputs: list[dict[str, Any]],
    timing: Timing,
    firewall: dict[str, Any] | None,
) -> StageFacts:
    counts: dict[str, int] = {}
    reasons: Counter[str] = Counter()
    by_stream: dict[str, dict[str, int]] = {}
    outputs = []
    for result in emitted:
        if result.kind == "decontamination":
            outputs += [claim(output) for output in result.outputs]
        if result.kind not in EXPORT_KINDS:
            continue
        outputs += [claim(output) for output in result.outputs]
        counts[result.kind] = result.outputs[0].rows
        counts[f"quarantined_{result.kind}"] = result.outputs[1].rows
        for reason, count in result.reasons.items():
            reasons[f"{result.kind}_{reason}"] += count
        for name, of_stream in result.by_stream.items():
            target = by_stream.setdefault(name, {})
            for key, count in of_stream.items():
                target[f"{result.kind}_{key}"] = count
    return StageFacts(
        stage="export",
        timing=timing,
        inputs=inputs,
        outputs=outputs,
        counts=counts,
        reasons=reasons,
        by_stream=by_stream,
        firewall=firewall,
    )


def _sums(by_stream: Mapping[str, Mapping[str, int]], names: Sequence[str]) -> dict[str, int]:
    return {name: sum(counts[name] for counts in by_stream.values()) for name in names}
