"""What ``distill schema check`` refuses: schema, field, and the words of the check, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from pydantic import JsonValue

from pipeline.platform.lenient_json import object_or_none, objects_of
from pipeline.platform.process import Ended
from runbook.probes.evidence import Detection, Record
from runbook.symptoms.s1_p1_schema.define import FOLDER, GOLDEN, VERSIONS

# How the lock names a version that was raised on purpose, and was not pinned yet.
_RAISED = "the lock still holds the version before"
_PLACE = re.compile(r"(?:taken, but |instead of |valid, but refused: )([^\s:]+)")
_MODULE = re.compile(r"\((\w+)\.py, line (\d+)\)|pipeline/schemas/(\w+)\.py:(\d+)")


class Refusal(Record):
    """One thing that is not as pinned. ``schema_name`` is None where the whole lock or code fails."""

    check: str
    schema_name: str | None
    field: str | None
    says: str
    file: str | None = None
    line: int | None = None

    @property
    def is_raised_version(self) -> bool:
        return self.check == VERSIONS and _RAISED in self.says

    @property
    def place(self) -> str:
        """``sft.quality_score``, as far as it is known."""
        return ".".join(each for each in (self.schema_name, self.field) if each) or self.check


def read_refusals(ran: Ended) -> list[Refusal] | None:
    """Everything that is refused; None where the command could not say."""
    report = object_or_none(ran.stdout)
    if report is None:
        return _broken_code(ran)
    if not isinstance(report.get("checks"), list):
        return None
    rows = objects_of(report, "checks")
    return [refusal for row in rows if row.get("status") == "fail" for refusal in _refusals(row)]


def _refusals(row: Mapping[str, Any]) -> list[Refusal]:
    check = str(row.get("id"))
    examples = [each for each in row.get("examples") or () if isinstance(each, dict)]
    if not examples:
        return [Refusal(check=check, schema_name=None, field=None, says=str(row.get("detail")))]
    return [_refusal(check, example) for example in examples]


def _refusal(check: str, example: Mapping[str, Any]) -> Refusal:
    file, says, line = str(example.get("file") or ""), str(example.get("text") or ""), example.get("line")
    if check == VERSIONS:
        # ``sft.quality_score was …``: a field may hold dots, and ends at the first space.
        place, _, says = says.partition(" ")
        schema, _, rest = place.partition(".")
        field: str | None = rest or None
    else:
        schema = PurePosixPath(file).parent.name
        match = _PLACE.search(says)
        field = match[1] if match else None
    return Refusal(
        check=check,
        schema_name=schema or None,
        field=field,
        says=says,
        file=file or None,
        line=line if isinstance(line, int) else None,
    )


def _broken_code(ran: Ended) -> list[Refusal] | None:
    """The schemas cannot even be imported. Any other failure of the engine is not theirs."""
    error = ran.narration
    if f"{FOLDER}/" not in error:
        return None
    match = _MODULE.search(error)
    module, line = (match[1] or match[3], match[2] or match[4]) if match else (None, None)
    first = next((each for each in error.splitlines() if each.strip()), "it ends without a word")
    says = first.removeprefix("what happened").strip()
    return [
        Refusal(
            check=GOLDEN,
            schema_name=module,
            field=None,
            says=f"the schemas cannot be imported: {says}",
            file=f"{FOLDER}/{module}.py" if module else None,
            line=int(line) if line else None,
        )
    ]


def refusals_as_facts(refusals: list[Refusal]) -> list[JsonValue]:
    return [each.model_dump(mode="json") for each in refusals]


def refusals_of(detection: Detection) -> tuple[Refusal, ...]:
    """What the detector kept."""
    found = detection.facts.get("refusals")
    return tuple(Refusal.model_validate(each) for each in found) if isinstance(found, list) else ()
