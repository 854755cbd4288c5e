"""``distill release phases``: show or record which commit stands for which phase."""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.contracts.faults import ExitCode, SettingsError
from pipeline.contracts.untrusted import visible
from pipeline.platform.git import resolve
from pipeline.release.git_gates import PHASES, phases_of
from pipeline.release.phases import record_phase


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    for assignment in arguments.assignments:
        phase, equals, revision = assignment.partition("=")
        if not equals or not revision:
            raise SettingsError.of(
                code="bad_assignment",
                what_happened=f"--set {assignment} does not read PHASE=COMMIT.",
                kept_safe="distill.toml is as it was.",
                do_next="Write it like: --set P4=HEAD",
                value=assignment,
            )
        commit = record_phase(context.workspace, phase, revision)
        context.note(f"recorded {phase} = {commit}; commit distill.toml before the freeze")
    recorded = context.settings().settings.phases
    missing = [phase for phase in PHASES if phase not in recorded]
    if arguments.for_all:
        for commit in {record_phase(context.workspace, phase, arguments.for_all) for phase in missing}:
            context.note(f"recorded {', '.join(missing)} = {commit}; commit distill.toml before the freeze")
        recorded, missing = context.settings().settings.phases, []
    table = {
        phase: {"recorded": recorded.get(phase), "commit": _commit(context, recorded.get(phase))}
        for phase in phases_of(recorded)
    }
    if context.json:
        context.out_json(table)
    else:
        for phase, entry in table.items():
            state = entry["commit"] or ("names no commit" if entry["recorded"] else "not recorded")
            context.out(f"{phase}  {visible(state)}")
        if missing:
            context.note("where one commit holds all that is missing: distill release phases --all COMMIT")
    return ExitCode.OK


def _commit(context: CommandContext, revision: str | None) -> str | None:
    return resolve(context.workspace, revision) if revision else None
