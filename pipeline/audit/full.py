"""The whole audit in order: checks, drift, verdict, report."""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.audit import (
    p0_recon,
    p1_schemas,
    p2_evidence,
    p3_verdicts,
    p4_exports,
    p4_firewall,
    p5_receipts,
    p6_acceptance,
    p7_replay,
)
from pipeline.audit.workspace_view import WorkspaceView
from pipeline.checks.runner import CheckFunction, run_checks
from pipeline.checks.session import CheckSession
from pipeline.checks.verdict import exit_code
from pipeline.contracts.check_index import AUDIT, SOURCE_PREFIX, CheckSpec, selected, source_check
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftRow
from pipeline.reading.incidents import incident_heads
from pipeline.settings.model import Settings


@dataclass
class Audit:
    """What an audit found. ``drift`` is empty when only some checks were asked for."""

    results: list[CheckResult]
    view: WorkspaceView
    drift: list[DriftRow] = field(default_factory=list)
    drift_thresholds: dict[str, float] | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return all(result.status is CheckStatus.PASS for result in self.results if result.required)


def specs_of(settings: Settings) -> list[CheckSpec]:
    """All checks of a workspace in the order of phases; the informational ones follow P0's."""
    sources = [
        source_check(stream.name)
        for stream in settings.streams
        if stream.tier == 1 and stream.role == "source"
    ]
    return [AUDIT[0], *sources, *AUDIT[1:]]


def run_audit(
    workspace: Path,
    settings: Settings,
    session: CheckSession,
    *,
    only: Collection[str] | None = None,
    acceptance_report: Path | None = None,
) -> Audit:
    """Run the checks. Raises SettingsError for a check that does not exist; checks raise nothing."""
    specs = selected(specs_of(settings), only)
    view = WorkspaceView(workspace, settings)
    acceptance: p6_acceptance.AcceptanceRun | None = None
    if acceptance_report is None and any(spec.id == "P6.acceptance" for spec in specs):
        # The longest check by far goes beside all others.
        acceptance = p6_acceptance.AcceptanceRun(workspace)
    try:
        functions = _functions(view, acceptance, acceptance_report)
        results = run_checks([(spec, functions[spec.id]) for spec in specs], session.events)
    finally:
        if acceptance is not None:
            acceptance.stop()
    return Audit(results, view)


def _functions(
    view: WorkspaceView, acceptance: p6_acceptance.AcceptanceRun | None, report: Path | None
) -> dict[str, CheckFunction]:
    on_view = {
        "P0.recon-doc": p0_recon.recon_doc,
        "P2.dry-run": p2_evidence.dry_run,
        "P2.conserves": p2_evidence.conserves,
        "P2.provenance": p2_evidence.provenance,
        "P3.distribution": p3_verdicts.distribution,
        "P3.coverage": p3_verdicts.coverage,
        "P4.preference-pairs": p4_exports.preference_pairs,
        "P4.exports-valid": p4_exports.exports_valid,
        "P4.quarantine-balances": p4_exports.quarantine_balances,
        "P5.summary-valid": p5_receipts.summary_valid,
        "P5.receipts-match": p5_receipts.receipts_match,
        "P7.replay": p7_replay.replay,
    }
    functions: dict[str, CheckFunction] = {
        name: functools.partial(check, view) for name, check in on_view.items()
    }
    functions["P1.versions-pinned"] = p1_schemas.versions_pinned
    functions["P1.validators-hold"] = p1_schemas.validators_hold
    functions["P4.sft-firewall"] = functools.partial(p4_firewall.sft_firewall, view.workspace)
    if acceptance is not None:
        functions["P6.acceptance"] = acceptance.outcome
    elif report is not None:
        functions["P6.acceptance"] = functools.partial(p6_acceptance.handed_on, report)
    for stream in view.settings.streams:
        functions[f"{SOURCE_PREFIX}{stream.name}"] = p0_recon.source(view, stream)
    return functions


def audit_report(audit: Audit, session: CheckSession) -> dict[str, Any]:
    """The report as data. Raises OSError when the last run cannot be read."""
    run = audit.view.last_run
    return session.report(
        "audit-full",
        audit.results,
        exit_code(audit.results),
        drift=audit.drift,
        facts={
            "pipeline_run_id": run.pipeline_run_id,
            "run_hash": run.run_hash,
            "drift_thresholds": audit.drift_thresholds,
            "incident_heads": incident_heads(audit.view.workspace),
        },
        notes=audit.notes,
    )
