"""Golden rows: rows that each schema must take, and rows that it must refuse, and why.

They lie beside the models, in ``golden/<schema>/{valid,invalid}.jsonl``, so that an installed
wheel and a workspace's own engine carry them; ``fixtures/contracts`` is a link to the place.
``version-<n>.jsonl`` holds rows as version n wrote them: each must come up to a row that is taken.
An invalid row stands as ``{"reason", "field", "row"}``: the reason is the kind of error, the
field where it is raised. A row refused for anything else counts as a failure.

Golden rows are read with the standard library's parser, which takes the numbers and lone
surrogates that orjson refuses: the models have to be shown them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.contracts.faults import IntegrityError
from pipeline.schemas.migrations import upgrade, version_of
from pipeline.schemas.registry import Schema
from pipeline.schemas.validators import field_of, first_refusal

GOLDEN_FOLDER = Path(__file__).with_name("golden")


@dataclass(frozen=True)
class GoldenFailure:
    """A golden row that was not treated as it must be. ``line`` 0 means the whole file."""

    schema: str
    file: str
    line: int
    why: str


def judge(schema: Schema, folder: Path = GOLDEN_FOLDER) -> tuple[int, list[GoldenFailure]]:
    """How many golden rows of the schema were tried, and those with the wrong outcome."""
    examined = 0
    failures: list[GoldenFailure] = []
    files: list[tuple[str, Callable[[Schema, Any], str | None]]] = [
        ("valid.jsonl", _refused_though_valid),
        ("invalid.jsonl", _wrongly_taken),
        *((f"version-{version}.jsonl", _comes_up_from(version)) for version in range(1, schema.version)),
    ]
    for name, complaint_of in files:
        tried = 0
        try:
            for line, value in _rows(folder / schema.name / name):
                tried += 1
                complaint = complaint_of(schema, value)
                if complaint is not None:
                    failures.append(GoldenFailure(schema.name, name, line, complaint))
        except (OSError, ValueError, KeyError, TypeError) as error:
            failures.append(
                GoldenFailure(schema.name, name, tried + 1, f"cannot be read: {type(error).__name__}")
            )
        else:
            if tried == 0:
                failures.append(GoldenFailure(schema.name, name, 0, "there are no rows"))
        examined += tried
    return examined, failures


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            yield number, json.loads(line)


def _refused_though_valid(schema: Schema, row: Any) -> str | None:
    try:
        schema.model.model_validate(row)
    except ValidationError as error:
        return f"valid, but refused: {first_refusal(error)}"
    return None


def _comes_up_from(version: int) -> Callable[[Schema, Any], str | None]:
    def complaint(schema: Schema, row: Any) -> str | None:
        if version_of(schema.name, row) != version:
            return f"not a row of version {version}"
        try:
            return _refused_though_valid(schema, upgrade(schema.name, row, target=schema.version))
        except IntegrityError as error:
            return error.fault.what_happened

    return complaint


def _wrongly_taken(schema: Schema, case: Any) -> str | None:
    reason, field = case["reason"], case["field"]
    try:
        schema.model.model_validate(case["row"])
    except ValidationError as error:
        places = [
            (field_of(item["loc"]), item["type"])
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        # A field that may be one of several types is refused once for each of them.
        elsewhere = [place for place, _ in places if not _within(place, field)]
        if elsewhere or reason not in [kind for _, kind in places]:
            return f"refused for {first_refusal(error)} instead of {field}: {reason}"
        return None
    return f"taken, but {field} must be refused: {reason}"


def _within(place: str, field: str) -> bool:
    return place == field or place.startswith((f"{field}.", f"{field}["))
