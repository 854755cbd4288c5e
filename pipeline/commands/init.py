"""``distill init [DIR]``: make a workspace, and say what to do next."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode

if TYPE_CHECKING:
    from pipeline.commands.context import CommandContext
    from pipeline.workspace import InitReport


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    from pipeline.platform.git import NEEDS_GIT
    from pipeline.workspace import init_workspace

    report = init_workspace(Path(arguments.dir or context.directory or "."))
    if context.json:
        context.out_json(
            {
                "workspace": str(report.root),
                "made": report.made,
                "kept": report.kept,
                "git_problem": report.git_problem,
            }
        )
        return ExitCode.OK
    context.out(f"Workspace {report.root}")
    for relative in report.made:
        context.out(f"  made  {relative}")
    for relative in report.kept:
        context.out(f"  kept  {relative}")
    if report.git_problem is not None:
        context.note(f"There is no usable git repository: {report.git_problem}. Not offered:")
        for missing in NEEDS_GIT:
            context.note(f"  {missing}")
    context.out("\n".join(["", *_next_steps(report)]))
    return ExitCode.OK


def _next_steps(report: InitReport) -> list[str]:
    here = shlex.quote(str(report.root))
    steps = [
        f"Put logs (JSON or JSON Lines, plain or compressed) into {paths.KNOWLEDGE_BASE}/, and note what",
        f"they are in {paths.RECON_DOC}. Then draft a [[stream]]",
        f"for each, append it to {paths.SETTINGS}, and answer what it asks:",
        "",
        f"  cd {here}",
    ]
    if report.git_problem is None and report.made:
        steps.append('  git add -A && git commit -m "workspace: first settings"')
    return [
        *steps,
        f"  distill streams suggest {paths.KNOWLEDGE_BASE}/LOG",
        "  distill streams check",
        "  distill run-all",
    ]
