"""``distill baseline accept | dismiss | list | measure``: what is normal, and who said so."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.commands.context import CommandContext
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.untrusted import visible
from pipeline.drift.baselines import read_baselines
from pipeline.drift.compare import compare
from pipeline.drift.decisions import decide
from pipeline.drift.measure import measure
from pipeline.settings.model import Settings


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    if arguments.action == "list":
        return _list(context)
    settings = context.settings().settings
    if arguments.action == "measure":
        return _measure(context, settings)
    row = decide(context.workspace, settings, arguments.action, arguments.metric, arguments.note)
    if context.json:
        context.out_json(row)
    else:
        for name in row["decided_metrics"]:
            value = row["metrics"].get(name)
            context.out(f"{arguments.action}ed  {visible(name)}  {_number(value)}  {visible(row['notes'])}")
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
    width = max((len(name) for name in baselines.values), default=0)
    for name, known in baselines.values.items():
        anchor = baselines.anchors.get(name)
        context.out(
            f"{visible(name):<{width}}  {_number(known.value):>12}  anchor {_number(anchor):>12}"
            f"  line {known.line}  {visible(known.recorded_at)}"
        )
    for name, (value, note) in baselines.dismissed.items():
        context.out(f"dismissed  {visible(name)} at {_number(value)}: {visible(note)}")
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
        cells = [[row.status, row.metric, _number(row.baseline), _number(row.current)] for row in rows]
        context.table(["status", "metric", ">baseline", ">current"], cells)
    return ExitCode.OK


def _number(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4f}"
