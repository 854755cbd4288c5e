"""PURE: the report as SARIF 2.1.0, which forges and editors show at the file and line.

One result for each trouble: causes, and what follows from them with the id of its cause. Paths are relative
to the repository, as the forges want them. Texts quote data, and have been made visible.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from urllib.parse import quote

from console.batch.causes import Trouble, causes, followed
from console.batch.outcome import BatchOutcome, exit_code
from console.batch.titles import path_in_repository, what_it_proves
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.moments import iso_utc
from pipeline.contracts.untrusted import visible

VERSION = "2.1.0"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_PLACES = 10


def sarif(batch: BatchOutcome) -> dict[str, Any]:
    """JSON types only. A batch without trouble has no results."""
    found = causes(batch)
    because = followed(found)
    troubles = [each for cause in found for each in (cause.trouble, *cause.consequences)]
    rules = list(dict.fromkeys(each.id for each in troubles))
    code = exit_code(batch)
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {"driver": {"name": "distill", "rules": [_rule(name) for name in rules]}},
                "automationDetails": {"id": f"distill/batch/{batch.batch_id}"},
                "invocations": [
                    {
                        "executionSuccessful": code != ExitCode.NOT_EVALUABLE and batch.stopped_by is None,
                        "exitCode": code,
                        "startTimeUtc": iso_utc(batch.started),
                        "endTimeUtc": iso_utc(batch.finished),
                    }
                ],
                "results": [
                    _result(each, rules.index(each.id), because.get(each.key), batch.folder)
                    for each in troubles
                ],
            }
        ],
    }


def _rule(name: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": visible(name, 200)}
    proves = what_it_proves(name)
    if proves:
        rule["shortDescription"] = {"text": proves}
    return rule


def _result(trouble: Trouble, rule: int, cause: str | None, folder: str) -> dict[str, Any]:
    text = f"{trouble.word}: {trouble.message or 'no detail'}"
    if cause is not None:
        text = f"{text} (follows from {cause})"
    if trouble.again:
        text = f"{text} · {trouble.again}"
    result: dict[str, Any] = {
        "ruleId": visible(trouble.id, 200),
        "ruleIndex": rule,
        "level": "error" if cause is None else "warning",
        "message": {"text": visible(text, 2000)},
        "partialFingerprints": {"distill/v1": sha256(_identity(trouble).encode()).hexdigest()},
    }
    locations = _locations(trouble, folder)
    if locations:
        result["locations"] = locations
    if cause is not None:
        result["properties"] = {"followsFrom": visible(cause, 200)}
    return result


def _identity(trouble: Trouble) -> str:
    """What makes it the same trouble in the next batch: what and where, not how much."""
    files = sorted({visible(place.file, 500) for place in trouble.places})
    return "\n".join((trouble.kind, visible(trouble.id, 200), *files))


def _locations(trouble: Trouble, folder: str) -> list[dict[str, Any]]:
    found = []
    for place in trouble.places[:_PLACES]:
        path = path_in_repository(place, folder)
        if path is None:
            continue
        physical: dict[str, Any] = {"artifactLocation": {"uri": quote(visible(path, 1000))}}
        if place.line is not None and place.line >= 1:
            physical["region"] = {"startLine": place.line}
        found.append({"physicalLocation": physical})
    return found
