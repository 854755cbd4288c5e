"""The whole audit in order: checks, drift, verdict, report."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
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
    p5_journals,
    p5_receipts,
    p6_acceptance,
    p7_replay,
)
from pipeline.audit.workspace_view import WorkspaceView
from pipeline.checks.runner import CheckFunction, Outcome, run_checks
from pipeline.checks.session import CheckSession
from pipeline.checks.verdict import exit_code
from pipeline.contracts.check_index import AUDIT, SOURCE_PREFIX, CheckSpec, selected, source_check
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftRow
from pipeline.contracts.faults import ExitCode, Fault, worst
from pipeline.reading import journal_memory
from pipeline.reading.incidents import incident_heads
from pipeline.settings.model import Settings

_PHASES = (p0_recon, p1_schemas, p2_evidence, p3_verdicts, p4_exports, p5_receipts, p5_journals, p7_replay)


@dataclass
class Audit:
    """What an audit found. ``drift`` is empty when only some checks were asked for.

    ``blind`` says why drift could not be measured: whoever did not look at it passes nobody. ``baseline_row``
    is the SHA-256 of the line in the baselines that this audit stands for.
    """

    results: list[CheckResult]
    view: WorkspaceView
    drift: list[DriftRow] = field(default_factory=list)
    drift_thresholds: dict[str, float] | None = None
    notes: list[str] = field(default_factory=list)
    blind: Fault | None = None
    baseline_row: str | None = None

    @property
    def passed(self) -> bool:
        return all(result.status is CheckStatus.PASS for result in self.results if result.required)

    @property
    def exit_code(self) -> int:
        found = exit_code(self.results)
        return found if self.blind is None else worst([found, ExitCode.NOT_EVALUABLE])


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
    """By id. Most are called as their check is; three are asked in another way."""
    functions: dict[str, CheckFunction] = {
        "P4.sft-firewall": functools.partial(p4_firewall.sft_firewall, view.workspace)
    }
    if acceptance is not None:
        functions["P6.acceptance"] = acceptance.outcome
    elif report is not None:
        functions["P6.acceptance"] = functools.partial(p6_acceptance.handed_on, report)
    for stream in view.settings.streams:
        functions[f"{SOURCE_PREFIX}{stream.name}"] = p0_recon.source(view, stream)
    on_view = [spec for spec in AUDIT if spec.id not in functions and spec.phase != "P6"]
    return functions | {spec.id: functools.partial(function_of(spec), view) for spec in on_view}


def function_of(spec: CheckSpec) -> Callable[[WorkspaceView], Outcome]:
    """``recon_doc`` in a module of phase P0, for ``P0.recon-doc``. Raises LookupError."""
    name = spec.id.partition(".")[2].replace("-", "_")
    for module in _PHASES:
        found = vars(module).get(name)
        is_its_phase = module.__name__.startswith(f"{__package__}.{spec.phase.lower()}_")
        if is_its_phase and inspect.isfunction(found):
            return found
    where = f"pipeline/audit/{spec.phase.lower()}_*.py"
    raise LookupError(f"{spec.id} has no function {name} in {where}; see 'Add a check' in CONTRIBUTING.md")


def audit_report(audit: Audit, session: CheckSession) -> dict[str, Any]:
    """The report as data. Raises OSError when the last run cannot be read."""
    run = audit.view.last_run
    return session.report(
        "audit-full",
        audit.results,
        audit.exit_code,
        drift=audit.drift if audit.blind is None else None,
        facts={
            "pipeline_run_id": run.pipeline_run_id,
            "run_hash": run.run_hash,
            "drift_thresholds": audit.drift_thresholds,
            "baseline_row": audit.baseline_row,
            "incident_heads": incident_heads(audit.view.workspace),
            journal_memory.IN_REPORT: _memory_head(audit.view),
        },
        notes=audit.notes,
    )


def _memory_head(view: WorkspaceView) -> Mapping[str, Any] | None:
    try:
        return view.journal_memory.head
    except OSError:
        return None  # the check of the journals has said so
