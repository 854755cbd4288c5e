"""Tables that several commands print: the results of checks, and drift."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.contracts.faults import ExitCode, Fault
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from pipeline.commands.context import CommandContext
    from pipeline.contracts.checks import CheckResult, DriftRow


CELL_CHARACTERS = 400


def tell_errors(context: CommandContext, results: Iterable[CheckResult]) -> None:
    """Three lines for the first required check that could not look, where that decides the exit code."""
    from pipeline.checks.verdict import exit_code
    from pipeline.contracts.checks import CheckStatus

    found = list(results)
    blind = [each for each in found if each.required and each.status is CheckStatus.ERROR]
    if not blind or exit_code(found) != ExitCode.NOT_EVALUABLE:
        return
    more = f" (the first of {len(blind)})" if len(blind) > 1 else ""
    context.fault(
        Fault(
            "check_error",
            f"{blind[0].id} could not be evaluated{more}: {blind[0].detail or blind[0].observed}",
            "The other checks ran; only reports were written.",
            f"Correct what it names, then re-run: {blind[0].reproduce}",
        )
    )


def print_checks(context: CommandContext, results: Sequence[CheckResult]) -> None:
    """Every result; below the table where a check failed, and the command that runs it alone."""
    columns = ("status", "check", ">examined", ">took", "what was found")
    context.table(columns, [_check(result) for result in results])
    for result in results:
        if result.failed:
            told = [*map(str, result.examples), f"again: {result.reproduce}"]
            context.out("\n".join((visible(result.id), *(f"  {visible(text)}" for text in told))))


def _check(result: CheckResult) -> list[str]:
    took = "-" if result.elapsed_seconds is None else f"{result.elapsed_seconds:.2f} s"
    what = visible(result.detail or result.observed or "", CELL_CHARACTERS)
    return [result.status.upper(), result.id, f"{result.examined:,}", took, what]


def print_drift(context: CommandContext, rows: Iterable[DriftRow]) -> None:
    cells = [[row.status, row.metric, number(row.baseline), number(row.current)] for row in rows]
    context.table(("drift", "metric", ">baseline", ">current"), cells)


def number(value: Any) -> str:
    """A metric's value; ``-`` when there is none."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4f}"
