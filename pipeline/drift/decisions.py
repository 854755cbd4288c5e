"""What a person decides about a moved metric: accept it as the new normal, or dismiss it once.

Both rows carry the values seen, the actor, the time and the note. A decision is about the value
that the last audit showed: when the workspace says something else by now, it is refused.
Neither ever covers a required check.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pipeline.contracts import paths
from pipeline.contracts.checks import DriftRow
from pipeline.contracts.faults import InputError, IntegrityError, SettingsError
from pipeline.drift import baselines
from pipeline.drift.measure import Metrics, measure
from pipeline.engine.clock import now_iso
from pipeline.engine.last_run import committed_summaries
from pipeline.platform.identity import user_name
from pipeline.platform.lenient_json import object_in
from pipeline.settings.model import Settings

Decision = Literal["accept", "dismiss"]


def decide(
    workspace: Path, settings: Settings, decision: Decision, names: Sequence[str], note: str
) -> dict[str, Any]:
    """Append the decision about ``names`` (none: every metric that warns); returns the row.

    Raises SettingsError (no note, unknown metric), InputError (no audit yet), IntegrityError
    (a value has moved since the audit), StorageError.
    """
    if not note.strip():
        raise note_missing(decision)
    audited = _audited_rows(workspace)
    names = list(names) or [row.metric for row in audited.values() if row.warns]
    if not names:
        raise InputError.of(
            code="nothing_to_decide",
            what_happened="No metric warns in the last audit.",
            kept_safe="Nothing was recorded.",
            do_next="Name one with --metric, or look at the table: distill baseline list",
        )
    metrics = measure(workspace, settings)
    for name in names:
        _check(name, audited, metrics)
    row = baseline_row(workspace, metrics, decision, names=names, notes=note.strip(), actor=user_name())
    baselines.append(workspace, row)
    return row


def note_missing(decision: str) -> SettingsError:
    return SettingsError.of(
        code="note_missing",
        what_happened="A decision without a reason explains nothing to the next shift.",
        kept_safe="Nothing was recorded.",
        do_next=f"Say why: distill baseline {decision} --note 'WHY'",
    )


def baseline_row(
    workspace: Path,
    metrics: Metrics,
    kind: str,
    *,
    names: Sequence[str] | None = None,
    notes: str | None = None,
    actor: str | None = None,
) -> dict[str, Any]:
    """An AuditBaseline row of the metrics as they are; with ``names``, of those alone."""
    kept = list(metrics.values) if names is None else list(names)
    summary = next(committed_summaries(workspace), {})
    return {
        "schema_version": 1,
        "kind": kind,
        "pipeline_run_id": summary.get("pipeline_run_id"),
        "run_hash": summary.get("run_hash"),
        "metrics": {name: metrics.values[name] for name in kept if name in metrics.values},
        "denominators": {name: metrics.denominators[name] for name in kept if name in metrics.denominators},
        "breakdown": {name: metrics.breakdown[name] for name in kept if name in metrics.breakdown},
        "decided_metrics": [] if names is None else list(names),
        "notes": notes,
        "actor": actor,
        "revokes": None,
        "recorded_at": now_iso(),
    }


def _audited_rows(workspace: Path) -> dict[str, DriftRow]:
    """The drift rows of the last audit, by metric."""
    path = workspace / paths.AUDIT_DATA
    try:
        return {row["metric"]: DriftRow.model_validate(row) for row in (object_in(path) or {})["drift"]}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError.of(
            code="no_audit_yet",
            what_happened=f"There is no audit to decide about: {path} cannot be read.",
            kept_safe="Nothing was recorded.",
            do_next="Make one: distill audit-full",
            file=str(path),
        ) from error


def _check(name: str, audited: dict[str, DriftRow], metrics: Metrics) -> None:
    if name not in audited:
        raise SettingsError.of(
            code="unknown_metric",
            what_happened=f"The last audit has no metric {name!r}.",
            kept_safe="Nothing was recorded.",
            do_next="See their names: distill baseline list",
            value=name,
        )
    seen, now = audited[name].current, metrics.values.get(name)
    if seen != now:
        raise IntegrityError.of(
            code="value_moved",
            what_happened=f"{name} was {seen} in the last audit and is {now} now.",
            kept_safe="Nothing was recorded: a decision holds for the value that was seen.",
            do_next="Audit again first: distill audit-full",
            value=name,
        )
