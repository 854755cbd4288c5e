"""``distill determinism``: run the pipeline several ways from scratch, and compare the rows."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pipeline.commands.context import CommandContext
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from pipeline.checks.session import CheckSession
    from pipeline.determinism.compare import Comparison

REPORT_VERSION = 1


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    from pipeline.checks.session import check_session
    from pipeline.contracts import events
    from pipeline.determinism.compare import compare
    from pipeline.determinism.trial import Trial
    from pipeline.determinism.variants import Variant, variants
    from pipeline.engine.receipts import encode
    from pipeline.platform import confined

    settings = context.settings().settings
    chosen = variants(arguments.runs)
    names = [variant.name for variant in chosen]
    with check_session(context.workspace, None, context.request(arguments), names) as session:

        def begins(variant: Variant) -> None:
            session.events.emit(events.StageStarted, stage=variant.name)

        def ended(trial: Trial) -> None:
            session.events.emit(
                events.StageFinished,
                stage=trial.variant.name,
                ok=trial.ok,
                elapsed_seconds=round(trial.elapsed_seconds, 3),
            )
            hashed = (trial.run_hash or "no run_hash")[:16]
            killed = ", killed and resumed" if trial.killed else ""
            context.note(f"{trial.variant.name:<22} {trial.elapsed_seconds:6.1f} s  {hashed}{killed}")

        comparison = compare(context.workspace, settings, chosen, on_begin=begins, on_trial=ended)
        report = _report(comparison, session)
        if not arguments.no_report:
            confined.write_file(context.workspace, paths.DETERMINISM_REPORT, encode(report))
        session.exit_code = comparison.exit_code
        session.run_hash = comparison.trials[0].run_hash
    if context.json:
        context.out_json(report)
    else:
        _print(context, comparison)
    return comparison.exit_code


def _report(comparison: Comparison, session: CheckSession) -> dict[str, Any]:
    from pipeline.engine.clock import now_iso
    from pipeline.engine.receipts import engine_claim

    finished_at = now_iso()
    return {
        "schema_version": REPORT_VERSION,
        "kind": "determinism",
        "ok": comparison.exit_code == ExitCode.OK,
        "exit_code": int(comparison.exit_code),
        "started_at": session.started_at,
        "finished_at": finished_at,
        "recorded_at": finished_at,
        "elapsed_seconds": round(session.elapsed_seconds, 3),
        "engine": engine_claim(session.engine_source),
        **comparison.to_dict(),
    }


def _print(context: CommandContext, comparison: Comparison) -> None:
    found = comparison.difference
    if found is not None:
        context.out(f"{found.first_run:<22} {found.first}")
        context.out(f"{found.second_run:<22} {found.second}")
    context.out(visible(f"determinism: {comparison.verdict} (exit {int(comparison.exit_code)})"))
