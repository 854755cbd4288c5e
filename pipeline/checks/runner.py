"""Runs checks one after the other, times each, and turns what it saw into a CheckResult.

A check is a function without arguments that returns what it examined; the status follows from
that. What it raises decides between the two ways to end badly: content that contradicts a claim
(IntegrityError) is ``fail``; our own exception, a permission, a disk, a time-out is ``error``.
Either way the checks after it still run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pipeline.contracts import events as event_types
from pipeline.contracts.check_index import CheckSpec
from pipeline.contracts.checks import CheckResult, CheckStatus, Example
from pipeline.contracts.faults import IntegrityError, OperatorError
from pipeline.contracts.untrusted import visible
from pipeline.engine.clock import monotonic
from pipeline.engine.event_writer import EventWriter

EXAMPLES = 10
DETAIL_CHARACTERS = 2000
EXAMPLE_CHARACTERS = 300


@dataclass(frozen=True)
class Outcome:
    """What a check saw. ``status`` is given only where counts do not decide it.

    ``elapsed_seconds`` is for a check whose work was done before it was asked.
    """

    examined: int
    failed: int
    observed: str
    detail: str = ""
    threshold: str = "0 failed"
    examples: tuple[Example, ...] = ()
    status: CheckStatus | None = None
    elapsed_seconds: float | None = None


CheckFunction = Callable[[], Outcome]


def run_checks(
    checks: Iterable[tuple[CheckSpec, CheckFunction]], events: EventWriter | None = None
) -> list[CheckResult]:
    """One result a check, in order; each is written to the event stream when it is known."""
    results: list[CheckResult] = []
    known = list(checks)
    for spec, check in known:
        if events is not None and events.on_check is not None:
            events.on_check(spec.id, len(results), len(known))
        result = run_check(spec, check)
        if events is not None:
            events.emit(event_types.CheckReported, check=result)
        results.append(result)
    return results


def run_check(spec: CheckSpec, check: CheckFunction) -> CheckResult:
    """Run one check. Nothing that it raises comes out, but for an interruption."""
    started = monotonic()
    try:
        outcome = check()
    except IntegrityError as error:
        outcome = Outcome(1, 1, error.fault.code, error.fault.what_happened, status=CheckStatus.FAIL)
    except OperatorError as error:
        outcome = Outcome(0, 0, error.fault.code, error.fault.what_happened, status=CheckStatus.ERROR)
    except Exception as error:  # noqa: BLE001 - a check that raises is `error`, and the others still run
        name = type(error).__name__
        outcome = Outcome(0, 0, name, f"{name}: {error}", status=CheckStatus.ERROR)
    if outcome.elapsed_seconds is None:
        outcome = replace(outcome, elapsed_seconds=monotonic() - started)
    return result_of(spec, outcome)


def result_of(spec: CheckSpec, outcome: Outcome) -> CheckResult:
    """The outcome as it is reported: status settled, texts made visible, examples capped."""
    return CheckResult(
        id=spec.id,
        phase=spec.phase,
        required=spec.required,
        status=_status(spec, outcome),
        examined=outcome.examined,
        failed=outcome.failed,
        threshold=outcome.threshold,
        observed=visible(outcome.observed, EXAMPLE_CHARACTERS),
        detail=visible(outcome.detail, DETAIL_CHARACTERS),
        examples=tuple(_shown(example) for example in outcome.examples[:EXAMPLES]),
        reproduce=spec.reproduce,
        elapsed_seconds=round(outcome.elapsed_seconds or 0.0, 3),
    )


def _status(spec: CheckSpec, outcome: Outcome) -> CheckStatus:
    if outcome.status is not None:
        return outcome.status
    if outcome.failed:
        return CheckStatus.FAIL
    if not spec.required:
        return CheckStatus.INFO
    if outcome.examined:
        return CheckStatus.PASS
    return CheckStatus.FAIL if spec.zero_fails else CheckStatus.NOT_EVALUATED


def _shown(example: Example) -> Example:
    return example.model_copy(
        update={
            "file": None if example.file is None else visible(example.file, EXAMPLE_CHARACTERS),
            "run_id": None if example.run_id is None else visible(example.run_id, EXAMPLE_CHARACTERS),
            "text": visible(example.text, EXAMPLE_CHARACTERS),
        }
    )
