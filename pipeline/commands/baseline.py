"""``distill baseline accept | dismiss | list | measure | adopt``: what is normal, and who said so."""

from __future__ import annotations

import argparse

from pipeline.commands.context import CommandContext
from pipeline.commands.result_tables import number, print_drift
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible
from pipeline.drift.baselines import read_baselines
from pipeline.drift.compare import compare
from pipeline.drift.decisions import decide, note_missing
from pipeline.drift.measure import measure
from pipeline.reading.journal_damage import adopt
from pipeline.settings.model import Settings


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    if arguments.action == "list":
        return _list(context)
    if arguments.action == "adopt":
        return _adopt(context, arguments.note)
    settings = context.settings().settings
    if arguments.action == "measure":
        return _measure(context, settings)
    row = decide(context.workspace, settings, arguments.action, arguments.metric, arguments.note)
    if context.json:
        context.out_json(row)
    else:
        for name in row["decided_metrics"]:
            value = number(row["metrics"][name]) if name in row["metrics"] else "gone"
            context.out(f"{arguments.action}ed  {visible(name)}  {value}  {visible(row['notes'])}")
    return ExitCode.OK


def _adopt(context: CommandContext, note: str) -> int:
    """Journals that are not as audits read them are taken as they are. Raises SettingsError, StorageError."""
    if not note.strip():
        raise note_missing("adopt")
    found = adopt(context.workspace, note.strip())
    if context.json:
        context.out_json({"adopted": found})
    elif not found:
        context.out("nothing to adopt: every journal begins as audits read it")
    for name, why in () if context.json else found.items():
        context.out(f"adopted  {visible(name)}  {visible(why)}")
    return ExitCode.OK


def _list(context: CommandContext) -> int:
    baselines = read_baselines(context.workspace)
    for problem in baselines.problems:
        context.note(f"warning: {visible(problem)}")
    if context.json:
        context.out_json(
            {
                "values": {
                    name: {"value": known.value, "line": known.line, "recorded_at": known.recorded_at}
                    for name, known in baselines.values.items()
                },
                "anchors": baselines.anchors,
                "dismissed": {
                    name: {"value": value, "note": note}
                    for name, (value, note) in baselines.dismissed.items()
                },
                "rows": baselines.rows,
                "problems": baselines.problems,
            }
        )
        return ExitCode.OK
    if baselines.is_empty:
        context.out("no baseline yet: the first audit that passes seeds it (distill audit-full)")
    if baselines.values:
        cells = [
            [
                name,
                number(known.value),
                number(baselines.anchors.get(name)),
                str(known.line),
                known.recorded_at,
            ]
            for name, known in baselines.values.items()
        ]
        context.table(("metric", ">baseline", ">anchor", ">line", "recorded"), cells)
    if baselines.dismissed:
        dismissed = [
            [name, "gone" if value is None else number(value), note]
            for name, (value, note) in baselines.dismissed.items()
        ]
        context.table(("dismissed", ">at", "why"), dismissed)
    return ExitCode.OK


def _measure(context: CommandContext, settings: Settings) -> int:
    """What an audit would say of drift, without the audit. Raises InputError."""
    baselines = read_baselines(context.workspace)
    rows = compare(measure(context.workspace, settings), baselines, settings.drift, {})
    if context.json:
        context.out_json(
            {"drift": [row.model_dump(mode="json") for row in rows], "problems": baselines.problems}
        )
    else:
        print_drift(context, rows)
    return ExitCode.OK
