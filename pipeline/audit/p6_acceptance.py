"""P6.acceptance: the gate is run by the same engine, or its fresh report is handed on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.checks.runner import Outcome
from pipeline.contracts.check_index import ACCEPTANCE
from pipeline.contracts.checks import CheckStatus, Example
from pipeline.contracts.discovery import engine_argv
from pipeline.contracts.faults import InputError
from pipeline.engine.code_digest import engine_digest
from pipeline.platform import disk
from pipeline.platform.lenient_json import object_or_none
from pipeline.platform.process import Running

TIMEOUT_SECONDS = 300.0
_MOST_REPORT_BYTES = 16 << 20
_IDS = tuple(spec.id for spec in ACCEPTANCE)


class AcceptanceRun:
    """A gate that runs beside the other checks: started now, asked later."""

    def __init__(self, workspace: Path) -> None:
        # This process's own interpreter and environment: the gate judges the engine that audits.
        self._running = Running(
            engine_argv(["acceptance", "--json", "-C", str(workspace)]),
            limit_seconds=TIMEOUT_SECONDS,
            keep_bytes=_MOST_REPORT_BYTES,
        )

    def outcome(self) -> Outcome:
        """Waits for the gate. Raises RuntimeError without a report, TimeoutError after five minutes."""
        ended = self._running.wait()
        if ended.timed_out:
            raise TimeoutError(f"acceptance took more than {TIMEOUT_SECONDS:.0f} s")
        report = object_or_none(ended.stdout)
        if report is None:
            said = ended.why or (ended.said[0] if ended.said else "")
            raise RuntimeError(f"acceptance gave no report (exit {ended.exit_code}): {said}")
        return judged(report, elapsed_seconds=ended.took_seconds)

    def stop(self) -> None:
        """End the gate if it still runs."""
        self._running.end()


def handed_on(path: Path) -> Outcome:
    """The outcome of a report that another command made. Raises InputError when it is none."""
    try:
        report = object_or_none(disk.read_plain(path))
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error
    if report is None:
        raise _unusable(path, "is not a JSON object")
    return judged(report)


def judged(report: dict[str, Any], *, elapsed_seconds: float | None = None) -> Outcome:
    """22 of 22, by this engine: anything less is a failure, an error or not evaluated."""
    checks = report.get("checks")
    found = {
        check["id"]: check
        for check in (checks if isinstance(checks, list) else ())
        if isinstance(check, dict) and check.get("id") in _IDS
    }
    statuses = {name: found.get(name, {}).get("status") for name in _IDS}
    engine = report.get("engine")
    other_engine = not isinstance(engine, dict) or engine.get("digest") != engine_digest()
    missing = [name for name in _IDS if name not in found]
    bad = [name for name, status in statuses.items() if status == "fail"]
    errors = [name for name, status in statuses.items() if status not in ("pass", "fail", None)]
    good = sum(status == "pass" for status in statuses.values())
    examples = [Example(text=f"{name}: {found[name].get('detail') or ''}") for name in (*bad, *errors)]
    detail = f"{good} of {len(_IDS)} invariants hold"
    status = CheckStatus.PASS
    if bad or report.get("kind") != "acceptance":
        status = CheckStatus.FAIL
    elif other_engine:
        status = CheckStatus.FAIL
        examples.append(Example(text="the report was made by another engine than this one"))
    elif errors:
        status = CheckStatus.ERROR
    elif missing:
        status = CheckStatus.NOT_EVALUATED
    for label, names in (("failed", bad), ("not passed", errors), ("missing", missing)):
        if names:
            detail += f"; {label}: {', '.join(names)}"
    if report.get("temp_root") and report.get("temp_root_kept", True):
        detail += f"; the temp root is kept: {report['temp_root']}"
    return Outcome(
        examined=len(found),
        failed=len(bad) or (1 if status is CheckStatus.FAIL else 0),
        observed=f"{good}/{len(_IDS)}",
        detail=detail,
        threshold=f"{len(_IDS)}/{len(_IDS)}",
        examples=tuple(examples),
        status=status,
        elapsed_seconds=elapsed_seconds,
    )


def _unusable(path: Path, why: str) -> InputError:
    return InputError.of(
        code="acceptance_report_unusable",
        what_happened=f"The acceptance report {path} {why}.",
        kept_safe="Nothing was changed.",
        do_next="Make one: distill acceptance   (or leave --acceptance-report out)",
        file=str(path),
    )
