"""The two P1 checks: fingerprints equal the lock, golden rows are taken and refused."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from pipeline.contracts.checks import CheckResult, CheckStatus, Example
from pipeline.contracts.faults import IntegrityError
from pipeline.contracts.untrusted import visible
from pipeline.schemas.golden_rows import GOLDEN_FOLDER, judge
from pipeline.schemas.lock import LOCK_FILE, differences, read_lock
from pipeline.schemas.registry import SCHEMAS, Schema

VERSIONS_PINNED = "P1.versions-pinned"
VALIDATORS_HOLD = "P1.validators-hold"

_REPRODUCE = "distill schema check"
_EXAMPLES = 10


def versions_pinned(lock_file: Path = LOCK_FILE, schemas: Iterable[Schema] = SCHEMAS) -> CheckResult:
    """Each schema's fingerprint is the locked one for its version. Examines schemas."""
    started = time.perf_counter()
    schemas = tuple(schemas)
    try:
        found = differences(read_lock(lock_file), schemas)
    except IntegrityError as error:
        return _result(VERSIONS_PINNED, started, len(schemas), len(schemas), error.fault.what_happened, ())
    detail = "; ".join(difference.sentence() for difference in found[:3])
    if len(found) > 3:
        detail += f"; and {len(found) - 3} more"
    return _result(
        VERSIONS_PINNED,
        started,
        len(schemas),
        len({difference.schema for difference in found}),
        detail or "every fingerprint is the locked one",
        [
            Example(file=f"pipeline/schemas/{difference.schema}.py", text=visible(difference.sentence(), 300))
            for difference in found[:_EXAMPLES]
        ],
    )


def validators_hold(folder: Path = GOLDEN_FOLDER, schemas: Iterable[Schema] = SCHEMAS) -> CheckResult:
    """Each golden row is taken, or refused for its reason. Examines golden rows."""
    started = time.perf_counter()
    examined = 0
    failures = []
    for schema in schemas:
        tried, failed = judge(schema, folder)
        examined += tried
        failures.extend(failed)
    first = failures[0] if failures else None
    return _result(
        VALIDATORS_HOLD,
        started,
        examined,
        len(failures),
        f"{first.schema}/{first.file}:{first.line} {first.why}" if first else "each is as it must be",
        [
            Example(
                file=f"pipeline/schemas/golden/{failure.schema}/{failure.file}",
                line=failure.line or None,
                text=visible(failure.why, 300),
            )
            for failure in failures[:_EXAMPLES]
        ],
    )


def _result(
    check_id: str, started: float, examined: int, failed: int, detail: str, examples: Iterable[Example]
) -> CheckResult:
    passed = CheckStatus.PASS if examined else CheckStatus.NOT_EVALUATED
    return CheckResult(
        id=check_id,
        phase="P1",
        required=True,
        status=CheckStatus.FAIL if failed else passed,
        examined=examined,
        failed=failed,
        threshold="0 failed",
        observed=f"{failed} failed",
        detail=visible(detail),
        examples=tuple(examples),
        reproduce=_REPRODUCE,
        elapsed_seconds=time.perf_counter() - started,
    )
